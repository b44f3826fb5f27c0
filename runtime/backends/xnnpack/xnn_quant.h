// Quantization parameters as XNNPACK wants them. Scales and zero points come from files: everything is
// checked.
#pragma once
#include "runtime/backends/xnnpack/xnn_operator.h"

namespace pith {

// real = scale * (code - zero) with one pair for the tensor.
struct Codes {
  DType dtype = DType::none;
  float scale = 1;
  int32_t zero = 0;
  int32_t lo = 0, hi = 0;  // range of the element type
};

// True when t holds i8 or u8 codes with one usable scale and zero point.
bool read_codes(const TensorView& t, Codes* out);
// The same numbers as i8 codes; see XnnState::shift_in.
Codes as_signed(Codes c);
// With i8 weights x and y may each be u8: notes which codes have to be shifted in this plan.
void shift_unsigned(const NodeView& node, XnnState& state);
xnn_quantization_params params_of(const Codes& c);
xnn_datatype datatype_of(DType t);  // f32, f16, and i8/u8 as quantized

// One scale for each of `count` output channels (dim `axis` of w) and zero points all 0; i8 weights. A single
// scale is repeated in `buffer`. Null: not such weights (or out of memory, which then shows on the next try).
const float* channel_scales(const TensorView& w, int axis, size_t count, PackBuffer& buffer);

// Bounds in real numbers to bounds in codes, rounded as quantization rounds. False: empty or NaN.
struct CodeRange {
  int32_t lo, hi;
};
bool clamp_codes(const Codes& y, float clamp_min, float clamp_max, CodeRange* out);
inline bool is_clamp(float lo, float hi) { return lo <= hi; }  // false for NaN, too

// i32 bias of the accumulator: scale x_scale * w_scale, which the file's own scales must agree with.
bool is_accumulator_bias(const NodeView& node, size_t input, size_t count);

}  // namespace pith
