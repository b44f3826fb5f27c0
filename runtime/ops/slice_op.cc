// Slice: elements start, start + step, ... before end of every named axis, as numpy's x[start:end:step];
// starts and ends beyond the axis are clamped. Inputs x, starts, ends, axes or omitted, steps or omitted (i32
// or i64).
#include <algorithm>

#include "runtime/ops/copy_steps.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {

Status check(const NodeView& node) {
  PITH_RETURN_IF_ERROR(expect_counts(node, 3, 5, 1, 1));
  PITH_RETURN_IF_ERROR(expect_same_quant(node, node.in(0), node.out(0)));
  return expect_whole_bytes(node, 0);
}

struct Cut {
  int64_t start = 0, step = 1, count = kUnknownDim;
};

// Elements taken from an axis of n.
Cut cut_axis(int64_t n, int64_t start, int64_t end, int64_t step) {
  if (n < 0) return {0, step, kUnknownDim};
  // -n <= start after the first clamp, so adding n cannot overflow.
  start = std::clamp(start, -n - 1, n + 1);
  end = std::clamp(end, -n - 1, n + 1);
  start = std::clamp<int64_t>(start < 0 ? start + n : start, step > 0 ? 0 : -1, step > 0 ? n : n - 1);
  end = std::clamp<int64_t>(end < 0 ? end + n : end, step > 0 ? 0 : -1, step > 0 ? n : n - 1);
  const int64_t length = step > 0 ? end - start : start - end;
  if (length <= 0) return {0, step, 0};
  const uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : 0 - static_cast<uint64_t>(step);
  return {start, step, static_cast<int64_t>((static_cast<uint64_t>(length) - 1) / stride) + 1};
}

Status read_cuts(const NodeView& node, const Shape& x, Cut* cuts) {
  std::vector<int64_t> starts, ends, axes, steps;
  PITH_RETURN_IF_ERROR(read_ints(node, 1, &starts));
  PITH_RETURN_IF_ERROR(read_ints(node, 2, &ends));
  if (node.has(3)) PITH_RETURN_IF_ERROR(read_ints(node, 3, &axes));
  if (node.has(4)) PITH_RETURN_IF_ERROR(read_ints(node, 4, &steps));
  const size_t n = starts.size();
  if (ends.size() != n || (node.has(3) && axes.size() != n) || (node.has(4) && steps.size() != n))
    return node_error(node, Code::bad_file, "starts, ends, axes and steps differ in length");
  for (int d = 0; d < x.rank(); ++d) cuts[d] = {0, 1, x[d]};
  uint32_t seen = 0;
  for (size_t i = 0; i < n; ++i) {
    int axis = 0;
    PITH_RETURN_IF_ERROR(
        normalize_axis(node, node.has(3) ? axes[i] : static_cast<int64_t>(i), x.rank(), &axis));
    if ((seen >> axis & 1u) != 0)
      return node_error(node, Code::bad_file, format("axis %d is named twice", axis));
    seen |= 1u << axis;
    const int64_t step = node.has(4) ? steps[i] : 1;
    if (step == 0) return node_error(node, Code::bad_file, format("step of axis %d is 0", axis));
    cuts[axis] = cut_axis(x[axis], starts[i], ends[i], step);
  }
  return Status::ok();
}

Status infer(const NodeView& node) {
  const Shape& x = node.in(0).shape;
  node.out(0).dtype = node.in(0).dtype;
  Shape y = x;
  if (x.has_rank()) {
    Cut cuts[kMaxRank];
    PITH_RETURN_IF_ERROR(read_cuts(node, x, cuts));
    for (int d = 0; d < x.rank(); ++d) y[d] = cuts[d].count;
  }
  set_output(node, 0, node.in(0).dtype, y);
  return Status::ok();
}

Status prepare(const NodeView& node, PrepareContext& context) {
  const Shape& x = node.in(0).shape;
  const Shape& y = node.out(0).shape;
  Cut cuts[kMaxRank];
  PITH_RETURN_IF_ERROR(read_cuts(node, x, cuts));
  ptrdiff_t x_stride[kMaxRank], y_stride[kMaxRank], offset = 0;
  dense_strides(x, x_stride);
  dense_strides(y, y_stride);
  CopyBuilder copy(node.out(0).dtype);
  for (int d = 0; d < y.rank(); ++d) {
    // A step is only ever walked between two elements that exist, so it is shorter than the axis then.
    const ptrdiff_t step = y[d] > 1 ? static_cast<ptrdiff_t>(cuts[d].step) : 0;
    copy.add_dim(y[d], step * x_stride[d], y_stride[d]);
    if (y[d] > 0) offset += static_cast<ptrdiff_t>(cuts[d].start) * x_stride[d];
  }
  auto steps = std::make_unique<CopySteps>();
  steps->steps.push_back(copy.step(0, 0, offset, 0));
  use_copy_steps(context, std::move(steps));
  return Status::ok();
}

}  // namespace

PITH_OPERATOR(Slice){schema::Op::SliceOptions, "slice", kNoFlags, check, infer, prepare, run_copy_steps};

}  // namespace pith
