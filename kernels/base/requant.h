// Rounding and requantization of 8- and 16-bit codes: one definition for kernels, backends and converter.
//
//   real = scale * (code - zero)                                   real value of a code
//   code = clamp(round_half_even(real / scale) + zero, lo, hi)     quantize
//   y    = clamp(round_half_even(float(acc) * s) + y_zero, lo, hi) requantize an i32 accumulator, where
//   s    = x_scale * w_scale / y_scale                             in float, evaluated from left to right
//
// Every step is one IEEE single operation, so each ISA and XNNPACK's fp32 requantization give the same codes.
// `acc` is the exact sum of (x - x_zero) * (w - w_zero) plus the i32 bias.
#pragma once
#include <bit>
#include <cstdint>

namespace pith {

// Nearest integer, ties to even, for |x| <= 2^22. Adding 1.5 * 2^23 leaves no fraction bits, so the addition
// itself rounds; it vectorizes on every ISA, unlike lrintf.
inline int32_t round_half_even_small(float x) { return std::bit_cast<int32_t>(x + 12582912.0f) - 0x4B400000; }

inline float requant_scale(float x_scale, float w_scale, float y_scale) {
  return x_scale * w_scale / y_scale;
}

// clamp(round_half_even(x) + zero, lo, hi); lo, hi and zero within +-2^20. NaN gives lo.
inline int32_t round_to_code(float x, int32_t zero, int32_t lo, int32_t hi) {
  const float low = static_cast<float>(lo - zero), high = static_cast<float>(hi - zero);
  x = x >= low ? x : low;
  x = x <= high ? x : high;
  return round_half_even_small(x) + zero;
}

inline int32_t requantize(int32_t acc, float scale, int32_t zero, int32_t lo, int32_t hi) {
  return round_to_code(static_cast<float>(acc) * scale, zero, lo, hi);
}

// Divides, as ONNX QuantizeLinear does.
inline int32_t quantize(float x, float scale, int32_t zero, int32_t lo, int32_t hi) {
  return round_to_code(x / scale, zero, lo, hi);
}

}  // namespace pith
