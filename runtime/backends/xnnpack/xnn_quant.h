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
// x and y may each be u8 beside signed weights: notes which codes have to be shifted in this plan.
void shift_unsigned(const NodeView& node, XnnState& state);
xnn_quantization_params params_of(const Codes& c);
xnn_datatype datatype_of(DType t);  // f32, f16, and i8/u8 as quantized

// Weights as i8 codes with zero points 0 and one scale per output channel (dim `axis` of w, of size `count`):
// exactly the same numbers. Its kernels are several times as fast as those for u8 weights.
struct SignedWeights {
  const int8_t* codes = nullptr;
  const float* scales = nullptr;
  PackBuffer code_memory, scale_memory;
};
// False: a code minus its zero point does not fit i8, or these are not weights of codes.
bool read_signed_weights(const TensorView& w, int axis, size_t count, SignedWeights* out);

// Bounds in real numbers to bounds in codes, rounded as quantization rounds. False: empty or NaN.
struct CodeRange {
  int32_t lo, hi;
};
bool clamp_codes(const Codes& y, float clamp_min, float clamp_max, CodeRange* out);
inline bool is_clamp(float lo, float hi) { return lo <= hi; }  // false for NaN, too

// i32 bias of the accumulator: scale x_scale * w_scale, which the file's own scales must agree with.
bool is_accumulator_bias(const NodeView& node, size_t input, size_t count);

}  // namespace pith
