// Writing updates to indexed places of y, which already holds the data. Updates are applied in their order,
// so the last one wins, and sums have a fixed order. Negative indices count from the end; an update whose
// index lies outside is dropped, so that nothing outside y is ever written.
#pragma once
#include "kernels/base/types.h"
#include "kernels/move/words.h"

namespace pith::kernels {

inline constexpr int kScatterMaxRank = 8;
enum class ScatterRule : uint8_t { none, add, mul, max, min };

// y[.., indices[i], ..] = rule(y[..], updates[i]) for every i of `updates`, along one axis.
struct ScatterElementsArgs {
  void* y = nullptr;
  const void* updates = nullptr;
  IndexView indices;
  DType dtype = DType::f32;
  ScatterRule rule = ScatterRule::none;
  int rank = 1;  // 1..8
  int axis = 0;
  int64_t n = 0;                          // length of the axis in y
  size_t dims[kScatterMaxRank] = {};      // of updates and indices, none of them 0
  size_t y_stride[kScatterMaxRank] = {};  // in elements
};
void scatter_elements_ref(const ScatterElementsArgs& a);

// y[indices[t, 0], .., indices[t, depth - 1], inner] = rule(y[..], updates[t, inner]).
struct ScatterNdArgs {
  void* y = nullptr;
  const void* updates = nullptr;
  IndexView indices;
  DType dtype = DType::f32;
  ScatterRule rule = ScatterRule::none;
  size_t tuples = 0;
  int depth = 1;
  int64_t dims[kScatterMaxRank] = {},
          stride[kScatterMaxRank] = {};  // of the indexed dims, strides in elements
  size_t inner = 1;
};
void scatter_nd_ref(const ScatterNdArgs& a);

// Whether the rule has a meaning for the type: all but `none` need numbers (f32, f64, integers of 8 to 64
// bits).
bool scatter_supports(DType dtype, ScatterRule rule);

}  // namespace pith::kernels
