// Sums and products of codes with NEON, 8 at a time.
#include <arm_neon.h>

#include "kernels/elementwise/code_runs_vectors.h"

namespace pith::kernels {
namespace {

struct Words8 {
  using I = int16x8_t;  // words, or four i32 of the same bits
  using F = float32x4_t;
  static constexpr size_t kWords = 8;

  static int32x4_t wide(I v) { return vreinterpretq_s32_s16(v); }
  static I bits(int32x4_t v) { return vreinterpretq_s16_s32(v); }

  static I load(const uint8_t* p, uint8_t flip) {
    return vmovl_s8(vreinterpret_s8_u8(veor_u8(vld1_u8(p), vdup_n_u8(flip))));
  }
  static I splat(uint8_t code, uint8_t flip) { return set16(static_cast<int8_t>(code ^ flip)); }
  static I set_words(int16_t even, int16_t odd) {
    return set32(static_cast<int32_t>((static_cast<uint32_t>(odd) << 16) | static_cast<uint16_t>(even)));
  }
  static I set16(int32_t v) { return vdupq_n_s16(static_cast<int16_t>(v)); }
  static I set32(int32_t v) { return bits(vdupq_n_s32(v)); }
  static F set_f(float v) { return vdupq_n_f32(v); }
  static I low(I a, I b) { return vzipq_s16(a, b).val[0]; }
  static I high(I a, I b) { return vzipq_s16(a, b).val[1]; }
  static I madd(I a, I b) {
    const int32x4_t p = vmull_s16(vget_low_s16(a), vget_low_s16(b));
    const int32x4_t q = vmull_s16(vget_high_s16(a), vget_high_s16(b));
    return bits(vcombine_s32(vpadd_s32(vget_low_s32(p), vget_high_s32(p)),
                             vpadd_s32(vget_low_s32(q), vget_high_s32(q))));
  }
  static I add32(I a, I b) { return bits(vaddq_s32(wide(a), wide(b))); }
  static I sub16(I a, I b) { return vsubq_s16(a, b); }
  static I add16(I a, I b) { return vqaddq_s16(a, b); }
  static I shift_left12(I v) { return bits(vshlq_n_s32(wide(v), 12)); }
  static I shift_right(I v, int count) { return bits(vshlq_s32(wide(v), vdupq_n_s32(-count))); }
  // Held within 2^20, beyond which words saturate anyway, so that adding 1.5 * 2^23 rounds (kernels/base/requant.h).
  static I scaled(I v, F scale) {
    const F steps = vmulq_f32(vcvtq_f32_s32(wide(v)), scale);
    const F held = vminq_f32(vmaxq_f32(steps, vdupq_n_f32(-0x1p20f)), vdupq_n_f32(0x1p20f));
    return bits(
        vsubq_s32(vreinterpretq_s32_f32(vaddq_f32(held, vdupq_n_f32(12582912.0f))), vdupq_n_s32(0x4B400000)));
  }
  static I pack(I low, I high) { return vcombine_s16(vqmovn_s32(wide(low)), vqmovn_s32(wide(high))); }
  static I clamp16(I v, I lo, I hi) { return vminq_s16(vmaxq_s16(v, lo), hi); }
  static void store(uint8_t* p, I v, uint8_t flip) {
    vst1_u8(p, veor_u8(vreinterpret_u8_s8(vmovn_s16(v)), vdup_n_u8(flip)));
  }
};

}  // namespace

void code_run_neon(const CodeArithmetic& c, const CodeRun& run) { run_codes<Words8>(c, run); }

}  // namespace pith::kernels
