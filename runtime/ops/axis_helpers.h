// Operators along one axis: the shape seen as [outer, n, inner], and how much work a thread should take.
#pragma once
#include "kernels/reduce/axis_view.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {

// x must be known and `axis` inside [-rank, rank), as normalize_axis made sure in infer. A scalar is one
// element.
inline kernels::AxisView axis_view(const Shape& x, int64_t axis) {
  if (x.rank() == 0) return {};
  const int at = static_cast<int>(axis < 0 ? axis + x.rank() : axis);
  return {static_cast<size_t>(x.count(0, at)), static_cast<size_t>(x[at]),
          static_cast<size_t>(x.count(at + 1, x.rank()))};
}

// Ok when axis fits the rank of x; unknown ranks and scalars (axis 0 or -1) pass.
inline Status expect_axis(const NodeView& node, const Shape& x, int64_t axis) {
  int unused = 0;
  if (!x.has_rank()) return Status::ok();
  return normalize_axis(node, axis, x.rank() == 0 ? 1 : x.rank(), &unused);
}

// Pieces per hand-over so that each moves about 16 Ki elements.
inline size_t grain_of(size_t elements_per_piece) { return 1 + 16384 / (1 + elements_per_piece); }

}  // namespace pith
