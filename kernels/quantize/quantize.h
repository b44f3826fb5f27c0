// Conversions between real numbers and integer codes, with one scale and zero point for a whole tensor, for
// each index of an axis, or for each block along an axis.
//   quantize    q = clamp(round_half_even(x / scale) + zero)     i8, u8, i16, u16; NaN gives the lowest code
//   dequantize  y = (q - zero) * scale                           also i32, i4, u4; the difference is exact
//   requantize  q = clamp(round_half_even(acc * (acc_scale / y_scale)) + zero)   from i32 to i8 or u8
#pragma once
#include "kernels/elementwise/block.h"
#include "kernels/reduce/axis_view.h"

namespace pith::kernels {

// Scales and zero points of runs of neighbouring elements: run r, of `length` elements, uses entries from
// first_of(r) on, one after the other when step is 1.
struct GridRuns {
  size_t length = 1, count = 0, elements = 0;  // the last run may be shorter than length
  size_t step = 0;
  // Runs repeat with period `wrap` (one outer index); inside, `span` runs share entries.
  size_t wrap = 1, span = 1, stride = 0, outer_stride = 0;
  size_t first_of(size_t r) const { return r % wrap / span * stride + r / wrap * outer_stride; }
};
GridRuns runs_of_tensor(size_t elements);
GridRuns runs_of_axis(const AxisView& v);
GridRuns runs_of_blocks(const AxisView& v, size_t block);  // block >= 1

struct QuantizeArgs {
  Lane x, y;
  Lane scale;  // any float type
  Lane zero;   // any integer type; data null: 0
  GridRuns runs;
};

// Runs [begin, end).
void quantize_ref(const QuantizeArgs& a, Range runs);    // x: any type, as float
void dequantize_ref(const QuantizeArgs& a, Range runs);  // y: f32, f16 or bf16

struct RequantizeArgs {
  const int32_t* acc;
  Lane y, acc_scale;
  float y_scale;
  int32_t y_zero;
  GridRuns runs;
};
void requantize_ref(const RequantizeArgs& a, Range runs);

// Scale and zero point of u8 codes that hold 0 and every x: scale = (max - min) / 255, or 1 when all are 0.
struct DynamicGrid {
  float scale;
  uint8_t zero;
};
DynamicGrid dynamic_grid(const float* x, size_t n);

}  // namespace pith::kernels
