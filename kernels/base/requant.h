// Rounding and saturation of quantized values: the one truth for kernels, converter and device.
//   code = clamp(round_half_even(real / scale) + zero_point, lowest, highest)
#pragma once
#include <bit>
#include <cstdint>

namespace pith {

// Nearest integer, ties to even; x must lie in [-2^22, 2^22]. Adding 1.5 * 2^23 pushes the fraction out of
// the mantissa under the default rounding mode. Vectorizes on every ISA.
inline int32_t round_half_even(float x) {
  constexpr float kMagic = 12582912.0f;
  return std::bit_cast<int32_t>(x + kMagic) - std::bit_cast<int32_t>(kMagic);
}

// The code of real / scale = x. [lowest, highest] and zero_point span at most 2^21. NaN gives lowest.
inline int32_t quantize_code(float x, int32_t zero_point, int32_t lowest, int32_t highest) {
  const auto low = static_cast<float>(lowest - zero_point), high = static_cast<float>(highest - zero_point);
  float v = x > low ? x : low;
  v = v < high ? v : high;
  return round_half_even(v) + zero_point;
}

}  // namespace pith
