// Split: consecutive pieces of x along an axis, of given sizes or equal (the last one may be smaller).
#include <algorithm>

#include "runtime/ops/copy_steps.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 1, 2, 1, SIZE_MAX));
  for (size_t i = 0; i < node.outputs.size(); ++i)
    if (node.has_out(i)) PITH_RETURN_IF_ERROR(expect_same_quant(node, node.in(0), node.out(i)));
  return expect_whole_bytes(node, 0);
}

// Sizes of all pieces; kUnknownDim where the axis is not known.
Status piece_sizes(const NodeView& node, int64_t n, std::vector<int64_t>* sizes) {
  const auto pieces = static_cast<int64_t>(node.outputs.size());
  if (node.has(1)) {
    PITH_RETURN_IF_ERROR(read_ints(node, 1, sizes));
    int64_t total = 0;
    for (int64_t s : *sizes)
      if (s < 0 || __builtin_add_overflow(total, s, &total))
        return node_error(node, Code::bad_file, "a piece has a negative or huge size");
    if (static_cast<int64_t>(sizes->size()) != pieces || (n >= 0 && total != n))
      return node_error(
          node, Code::bad_file,
          format("%zu sizes with sum %lld for %lld pieces of %lld elements", sizes->size(),
                 static_cast<long long>(total), static_cast<long long>(pieces), static_cast<long long>(n)));
    return Status::ok();
  }
  sizes->assign(static_cast<size_t>(pieces), kUnknownDim);
  if (n < 0) return Status::ok();
  const int64_t each = n / pieces + (n % pieces != 0 ? 1 : 0);
  int64_t left = n;
  for (int64_t& s : *sizes) {
    s = std::min(each, left);
    left -= s;
  }
  return Status::ok();
}

Status infer(const NodeView& node) {
  for (TensorView* t : node.outputs)
    if (t != nullptr) t->dtype = node.in(0).dtype;
  const Shape& x = node.in(0).shape;
  int axis = 0;
  if (x.has_rank())
    PITH_RETURN_IF_ERROR(normalize_axis(node, node.opt<schema::SplitOptions>().axis(), x.rank(), &axis));
  std::vector<int64_t> sizes;
  PITH_RETURN_IF_ERROR(piece_sizes(node, x.has_rank() ? x[axis] : kUnknownDim, &sizes));
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    Shape y = x;
    if (y.has_rank()) y[axis] = sizes[i];
    set_output(node, i, node.in(0).dtype, y);
  }
  return Status::ok();
}

Status prepare(const NodeView& node, PrepareContext& context) {
  const Shape& x = node.in(0).shape;
  int axis = 0;
  PITH_RETURN_IF_ERROR(normalize_axis(node, node.opt<schema::SplitOptions>().axis(), x.rank(), &axis));
  std::vector<int64_t> sizes;
  PITH_RETURN_IF_ERROR(piece_sizes(node, x[axis], &sizes));
  ptrdiff_t x_stride[kMaxRank], y_stride[kMaxRank], at = 0;
  dense_strides(x, x_stride);
  auto steps = std::make_unique<CopySteps>();
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.has_out(i)) {
      const Shape& y = node.out(i).shape;
      dense_strides(y, y_stride);
      CopyBuilder copy(node.in(0).dtype);
      for (int d = 0; d < y.rank(); ++d) copy.add_dim(y[d], x_stride[d], y_stride[d]);
      steps->steps.push_back(copy.step(0, i, at * x_stride[axis], 0));
    }
    at += static_cast<ptrdiff_t>(sizes[i]);
  }
  use_copy_steps(context, std::move(steps));
  return Status::ok();
}

}  // namespace

PITH_OPERATOR(Split){schema::Op::SplitOptions, "split", kNoFlags, check, infer, prepare, run_copy_steps};

}  // namespace pith
