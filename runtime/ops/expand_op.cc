// Expand (x repeated by broadcasting with a shape) and Tile (x repeated `repeats[d]` times along every dim).
#include "runtime/ops/copy_steps.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 2, 2, 1, 1));
  PITH_RETURN_IF_ERROR(expect_same_quant(node, node.in(0), node.out(0)));
  return expect_whole_bytes(node, 0);
}

Status infer_expand(const NodeView& node) {
  node.out(0).dtype = node.in(0).dtype;
  std::vector<int64_t> wanted;
  PITH_RETURN_IF_ERROR(read_ints(node, 1, &wanted));
  if (wanted.size() > kMaxRank)
    return node_error(node, Code::unsupported, format("rank %zu; at most %d", wanted.size(), kMaxRank));
  for (int64_t dim : wanted)
    if (dim < 0) return node_error(node, Code::bad_file, "the shape has a negative dim");
  Shape y = Shape::unknown_rank();
  if (node.in(0).shape.has_rank()) PITH_RETURN_IF_ERROR(broadcast(node, node.in(0).shape, Shape(wanted), &y));
  set_output(node, 0, node.in(0).dtype, y);
  return Status::ok();
}

Status prepare_expand(const NodeView& node, PrepareContext& context) {
  const Shape& x = node.in(0).shape;
  const Shape& y = node.out(0).shape;
  ptrdiff_t x_stride[kMaxRank], y_stride[kMaxRank];
  dense_strides(x, x_stride);
  dense_strides(y, y_stride);
  CopyBuilder copy(node.out(0).dtype);
  const int added = y.rank() - x.rank();
  for (int d = 0; d < y.rank(); ++d) {
    const bool repeats = d < added || x[d - added] == 1;
    copy.add_dim(y[d], repeats ? 0 : x_stride[d - added], y_stride[d]);
  }
  auto steps = std::make_unique<CopySteps>();
  steps->steps.push_back(copy.step(0, 0));
  use_copy_steps(context, std::move(steps));
  return Status::ok();
}

Status infer_tile(const NodeView& node) {
  node.out(0).dtype = node.in(0).dtype;
  std::vector<int64_t> repeats;
  PITH_RETURN_IF_ERROR(read_ints(node, 1, &repeats));
  const Shape& x = node.in(0).shape;
  if (x.has_rank() && repeats.size() != static_cast<size_t>(x.rank()))
    return node_error(node, Code::bad_file,
                      format("%zu repeats for an input of shape %s", repeats.size(), x.text().c_str()));
  Shape y = x;
  for (int d = 0; d < x.rank(); ++d) {
    const int64_t times = repeats[static_cast<size_t>(d)];
    if (times < 0) return node_error(node, Code::bad_file, "a repeat is negative");
    y[d] = dim_mul(x[d], times);
    if (x[d] >= 0 && y[d] < 0) return node_error(node, Code::bad_file, "the result is too large");
  }
  set_output(node, 0, node.in(0).dtype, y);
  return Status::ok();
}

// Every dim of y is two: how often, and which element.
Status prepare_tile(const NodeView& node, PrepareContext& context) {
  const Shape& x = node.in(0).shape;
  const Shape& y = node.out(0).shape;
  ptrdiff_t x_stride[kMaxRank], y_stride[kMaxRank];
  dense_strides(x, x_stride);
  dense_strides(y, y_stride);
  CopyBuilder copy(node.out(0).dtype);
  for (int d = 0; d < y.rank(); ++d) {
    const int64_t times = x[d] == 0 ? 0 : y[d] / x[d];
    copy.add_dim(times, 0, y_stride[d] * static_cast<ptrdiff_t>(x[d]));
    copy.add_dim(x[d], x_stride[d], y_stride[d]);
  }
  auto steps = std::make_unique<CopySteps>();
  steps->steps.push_back(copy.step(0, 0));
  use_copy_steps(context, std::move(steps));
  return Status::ok();
}

}  // namespace

PITH_OPERATOR(Expand){
    schema::Op::ExpandOptions, "expand", kNoFlags, check, infer_expand, prepare_expand, run_copy_steps};
PITH_OPERATOR(Tile){schema::Op::TileOptions, "tile", kNoFlags, check, infer_tile, prepare_tile,
                    run_copy_steps};

}  // namespace pith
