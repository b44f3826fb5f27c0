// Resampling of one axis at a time, and nearest-neighbour resampling of all axes at once.
//   y[outer, o, inner] = sum_t weight[o, t] x[outer, index[o, t], inner]
// The tables say everything about coordinates; making them is resize_table.h.
#pragma once
#include "kernels/base/types.h"

namespace pith::kernels {

inline constexpr int kResizeMaxRank = 8;

struct ResizeAxisArgs {
  const void* x = nullptr;
  void* y = nullptr;  // must not overlap x
  DType x_dtype = DType::f32,
        y_dtype = DType::f32;  // f32, i8 or u8 each; 8-bit results round half to even and saturate
  size_t in = 0, out = 0, inner = 1;
  size_t taps = 1;
  const int64_t* index = nullptr;    // [out, taps], each in [0, in)
  const float* weight = nullptr;     // [out, taps]
  const uint8_t* outside = nullptr;  // [out]: not 0: the result is `extrapolation`; or null
  float extrapolation = 0;
};
// Lines of the outer dims.
void resize_axis_ref(const ResizeAxisArgs& a, Range outer);

// y[i_0 .., block] = x[index_0[i_0] .., block]
struct ResizeNearestArgs {
  const void* x = nullptr;
  void* y = nullptr;
  size_t element_bytes = 1;  // 1, 2, 4 or 8
  int rank = 1;              // 1..8 dims before the block
  size_t y_dims[kResizeMaxRank] = {};
  size_t x_stride[kResizeMaxRank] = {};         // in elements
  const int64_t* index[kResizeMaxRank] = {};    // null: the dim is not resized
  const uint8_t* outside[kResizeMaxRank] = {};  // as above, or null
  size_t block = 1;                             // adjacent elements behind the last resized dim
  const void* extrapolation = nullptr;          // one element
};
// Rows: index over all dims but the last.
void resize_nearest_ref(const ResizeNearestArgs& a, Range rows);

}  // namespace pith::kernels
