// Quantizing with NEON: the same IEEE operations as the reference, 8 floats at a time.
#include <arm_neon.h>

#include "kernels/quantize/codes_of_floats.h"

namespace pith::kernels {
namespace {

struct Grid {
  float scale;
  float32x4_t low, high;
  int32x4_t zero;
};

inline float32x4_t divided(const float* x, float scale) {
#if defined(__aarch64__)
  return vdivq_f32(vld1q_f32(x), vdupq_n_f32(scale));
#else  // NEON of ARMv7 cannot divide exactly
  const float steps[4] = {x[0] / scale, x[1] / scale, x[2] / scale, x[3] / scale};
  return vld1q_f32(steps);
#endif
}

// round_to_code() of kernels/base/requant.h; NaN gives the lowest code.
inline int16x4_t words(const float* x, const Grid& g) {
  const float32x4_t steps = divided(x, g.scale);
  const float32x4_t above = vbslq_f32(vcgeq_f32(steps, g.low), steps, g.low);
  const float32x4_t held = vbslq_f32(vcleq_f32(above, g.high), above, g.high);
  return vmovn_s32(vaddq_s32(vreinterpretq_s32_f32(vaddq_f32(held, vdupq_n_f32(12582912.0f))), g.zero));
}

inline void codes_of_8(const float* x, uint8_t* y, const Grid& g) {
  vst1_u8(y, vreinterpret_u8_s8(vmovn_s16(vcombine_s16(words(x, g), words(x + 4, g)))));
}

}  // namespace

void codes_of_floats_neon(const float* x, uint8_t* y, size_t n, const FloatGrid& g) {
  const Grid grid{g.scale, vdupq_n_f32(static_cast<float>(g.lo - g.zero)),
                  vdupq_n_f32(static_cast<float>(g.lo + 255 - g.zero)), vdupq_n_s32(g.zero - 0x4B400000)};
  size_t i = 0;
  for (; i + 8 <= n; i += 8) codes_of_8(x + i, y + i, grid);
  if (i == n) return;
  float rest[8] = {};
  uint8_t codes[8];
  for (size_t k = 0; k < n - i; ++k) rest[k] = x[i + k];
  codes_of_8(rest, codes, grid);
  for (size_t k = 0; k < n - i; ++k) y[i + k] = codes[k];
}

}  // namespace pith::kernels
