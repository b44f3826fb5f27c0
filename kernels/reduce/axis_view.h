// A dense tensor seen around one axis: x[outer, n, inner].
#pragma once
#include <cstddef>

namespace pith::kernels {

struct AxisView {
  size_t outer = 1, n = 1, inner = 1;
};
// Where the axis is not innermost, kernels work on tiles of this many neighbouring columns.
inline constexpr size_t kTile = 64;
// Independent pieces of work: rows, or tiles of columns.
inline size_t pieces_of(const AxisView& v) {
  return v.inner == 1 ? v.outer : v.outer * ((v.inner + kTile - 1) / kTile);
}

// Sum of term(0) .. term(n - 1) in double over 8 lanes: the order depends on n alone, and the loop
// vectorizes.
template <class F>
double lane_sum(size_t n, F term) {
  double lane[8] = {};
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (size_t j = 0; j < 8; ++j) lane[j] += term(i + j);
  for (size_t j = 0; i < n; ++i, ++j) lane[j] += term(i);
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

}  // namespace pith::kernels
