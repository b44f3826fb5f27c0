// Concat: inputs one after the other along an axis. Any element type of whole bytes; i8 and u8 tensors share
// one quantization.
#include "runtime/ops/copy_steps.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, SIZE_MAX, 1, 1));
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.has(i)) return node_error(node, Code::bad_file, format("input %zu is missing", i));
    if (node.in(i).dtype != node.in(0).dtype)
      return node_error(node, Code::bad_file,
                        format("input %zu ('%s') is %s, but input 0 is %s", i, node.in(i).name,
                               name_of(node.in(i).dtype), name_of(node.in(0).dtype)));
    PITH_RETURN_IF_ERROR(expect_same_quant(node, node.in(i), node.out(0)));
  }
  return expect_whole_bytes(node, 0);
}

// Dims of both inputs outside the axis; a known dim decides over an unknown one.
Status join(const NodeView& node, size_t i, int axis, Shape* y) {
  const Shape& x = node.in(i).shape;
  bool fits = x.rank() == y->rank();
  for (int d = 0; fits && d < x.rank(); ++d) {
    if (d == axis)
      (*y)[d] = dim_add((*y)[d], x[d]);
    else if ((*y)[d] < 0)
      (*y)[d] = x[d];
    else
      fits = x[d] < 0 || x[d] == (*y)[d];
  }
  if (fits) return Status::ok();
  return node_error(node, Code::bad_file,
                    format("input %zu ('%s') of shape %s does not fit %s outside axis %d", i, node.in(i).name,
                           x.text().c_str(), node.in(0).shape.text().c_str(), axis));
}

Status infer(const NodeView& node) {
  node.out(0).dtype = node.in(0).dtype;
  const TensorView* known = nullptr;
  for (const TensorView* t : node.inputs)
    if (t->shape.has_rank() && known == nullptr) known = t;
  Shape y = Shape::unknown_rank();
  if (known != nullptr) {
    int axis = 0;
    PITH_RETURN_IF_ERROR(
        normalize_axis(node, node.opt<schema::ConcatOptions>().axis(), known->shape.rank(), &axis));
    y = Shape::of_rank(known->shape.rank());
    y[axis] = 0;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.in(i).shape.has_rank())
        PITH_RETURN_IF_ERROR(join(node, i, axis, &y));
      else
        y[axis] = kUnknownDim;
    }
  }
  set_output(node, 0, node.in(0).dtype, y);
  return Status::ok();
}

Status prepare(const NodeView& node, PrepareContext& context) {
  const Shape& y = node.out(0).shape;
  int axis = 0;
  PITH_RETURN_IF_ERROR(normalize_axis(node, node.opt<schema::ConcatOptions>().axis(), y.rank(), &axis));
  ptrdiff_t x_stride[kMaxRank], y_stride[kMaxRank], at = 0;
  dense_strides(y, y_stride);
  auto steps = std::make_unique<CopySteps>();
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const Shape& x = node.in(i).shape;
    dense_strides(x, x_stride);
    CopyBuilder copy(node.out(0).dtype);
    for (int d = 0; d < y.rank(); ++d) copy.add_dim(x[d], x_stride[d], y_stride[d]);
    steps->steps.push_back(copy.step(i, 0, 0, at * y_stride[axis]));
    at += static_cast<ptrdiff_t>(x[axis]);
  }
  use_copy_steps(context, std::move(steps));
  return Status::ok();
}

}  // namespace

PITH_OPERATOR(Concat){schema::Op::ConcatOptions, "concat", kNoFlags, check, infer, prepare, run_copy_steps};

}  // namespace pith
