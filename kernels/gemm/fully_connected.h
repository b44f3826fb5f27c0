// y[m, n] = clamp(sum over k of x[m, k] * w[n, k] + bias[n]).
//
// A task is one block of kFullyConnectedColumns outputs for all rows m, so that each weight is read once.
// |error| <= (K + 3) u sum |x w|, u = 2^-24.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/float16.h"
#include "kernels/base/types.h"

namespace pith::kernels {

inline constexpr size_t kFullyConnectedColumns = 4;

struct FullyConnectedArgs {
  size_t m, n, k;
  const float* x;
  const void* w;      // W of the kernel, [n, k]
  const float* bias;  // or null
  float* y;           // must not overlap x
  float clamp_min, clamp_max;
};
template <class W>  // float, f16 or bf16 (widened on the way, exactly)
void fully_connected_ref(const FullyConnectedArgs& a, Range column_blocks);

// Quantized: x, w 8-bit codes, y 8-bit codes, bias i32 in steps of x_scale * w_scale. Zero points and scales
// of w: one (stride 0) or one per output (stride 1). K < 2^15 keeps sums from wrapping.
struct FullyConnectedCodesArgs {
  size_t m, n, k;
  const void* x;
  const void* w;
  const int32_t* bias;
  void* y;
  int32_t x_zero;
  const int32_t* w_zero;
  size_t w_zero_stride;
  const float* scale;
  size_t scale_stride;
  int32_t y_zero, y_lo, y_hi;
};
template <class X, class W, class Y>
void fully_connected_codes_ref(const FullyConnectedCodesArgs& a, Range column_blocks);

// Dynamic: rows of x become i8 codes of their own asymmetric grid, which always holds zero:
//   lo = min(x, 0), hi = max(x, 0), scale = (hi - lo) / 255, zero = clamp(round(-128 - lo / scale), -128,
//   127) y = clamp((sum (q - zero) * (w - w_zero)) * (row scale * w_scale[n]) + bias[n])
// A row that holds NaN or infinity gives NaN.
struct RowGrid {
  float scale;
  int32_t zero;
};
RowGrid row_grid_from(float lo, float hi, bool finite);  // lo <= 0 <= hi: the row's extremes
RowGrid row_grid_ref(const float* x, size_t k);
int32_t row_code_ref(float x, const RowGrid& grid);
void quantize_rows_ref(const float* x, size_t k, int8_t* codes, RowGrid* grids, Range rows);
struct FullyConnectedDynamicArgs {
  size_t m, n, k;
  const int8_t* codes;
  const RowGrid* grids;
  const void* w;
  const int32_t* w_zero;
  size_t w_zero_stride;
  const float* w_scale;
  size_t w_scale_stride;
  const float* bias;
  float* y;
  float clamp_min, clamp_max;
};
template <class W>  // int8_t or uint8_t
void fully_connected_dynamic_ref(const FullyConnectedDynamicArgs& a, Range column_blocks);

}  // namespace pith::kernels
