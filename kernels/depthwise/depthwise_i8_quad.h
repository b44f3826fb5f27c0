// 16 channels of the depthwise loop on NEON, without the dot product; for ISA files.
#pragma once
#include <arm_neon.h>

#include "kernels/depthwise/depthwise_i8_generic.h"

namespace pith::kernels {
namespace {

struct NeonQuad {
  using Int = uint8x16_t;
  using Operand = Int;
  using Float = float32x4_t;
  static constexpr size_t kChannels = 16;
  struct Limits {
    float32x4_t low, high;
    int32x4_t zero;
    uint8x16_t flip;
  };
  static int32x4_t words(Int x) { return vreinterpretq_s32_u8(x); }
  static Int bytes(int32x4_t x) { return vreinterpretq_u8_s32(x); }
  static Int load(const void* p) { return vld1q_u8(static_cast<const uint8_t*>(p)); }
  static Int load_some(const uint8_t* p, size_t n) {
    uint8_t part[16] = {};
    __builtin_memcpy(part, p, n);
    return load(part);
  }
  static void store_all(uint8_t* p, Int x) { vst1q_u8(p, x); }
  static Int splat(uint8_t byte) { return vdupq_n_u8(byte); }
  static Int splat_dword(int32_t x) { return bytes(vdupq_n_s32(x)); }
  static Int exclusive(Int a, Int b) { return veorq_u8(a, b); }
  static Int both(Int a, Int b) { return vandq_u8(a, b); }
  static Int either(Int a, Int b) { return vorrq_u8(a, b); }
  static Int low8(Int a, Int b) { return vzipq_u8(a, b).val[0]; }
  static Int high8(Int a, Int b) { return vzipq_u8(a, b).val[1]; }
  static Int low16(Int a, Int b) {
    return vreinterpretq_u8_u16(vzipq_u16(vreinterpretq_u16_u8(a), vreinterpretq_u16_u8(b)).val[0]);
  }
  static Int high16(Int a, Int b) {
    return vreinterpretq_u8_u16(vzipq_u16(vreinterpretq_u16_u8(a), vreinterpretq_u16_u8(b)).val[1]);
  }
  static Operand operand(Int x) { return x; }
  static Int shift_up(Int x, unsigned bits) {  // a shift by 32 gives 0
    return vreinterpretq_u8_u32(vshlq_u32(vreinterpretq_u32_u8(x), vdupq_n_s32(static_cast<int32_t>(bits))));
  }
  static Int shift_down(Int x, unsigned bits) {
    return vreinterpretq_u8_u32(vshlq_u32(vreinterpretq_u32_u8(x), vdupq_n_s32(-static_cast<int32_t>(bits))));
  }
  static void load_lanes(const void* from, Int (&out)[4]) {
    for (int i = 0; i < 4; ++i) out[i] = load(static_cast<const char*>(from) + 16 * i);
  }
  static void load_lanes(const float* from, Float (&out)[4]) {
    for (int i = 0; i < 4; ++i) out[i] = vld1q_f32(from + 4 * i);
  }
  static Limits limits(int32_t zero, int32_t lo, int32_t hi, uint8_t flip) {
    return {vdupq_n_f32(static_cast<float>(lo - zero)), vdupq_n_f32(static_cast<float>(hi - zero)),
            vdupq_n_s32(zero - 0x4B400000), vdupq_n_u8(flip)};
  }
  // requantize() of kernels/base/requant.h: clamped first, then rounded by adding 1.5 * 2^23.
  static int16x4_t quantize(Int acc, Float scale, const Limits& l) {
    const float32x4_t steps = vmulq_f32(vcvtq_f32_s32(words(acc)), scale);
    const float32x4_t held = vminq_f32(vmaxq_f32(steps, l.low), l.high);
    return vmovn_s32(vaddq_s32(vreinterpretq_s32_f32(vaddq_f32(held, vdupq_n_f32(12582912.0f))), l.zero));
  }
  static Int finish(Int a, Int b, Int c, Int d, const Float (&scale)[4], const Limits& l) {
    const int16x8_t ab = vcombine_s16(quantize(a, scale[0], l), quantize(b, scale[1], l));
    const int16x8_t cd = vcombine_s16(quantize(c, scale[2], l), quantize(d, scale[3], l));
    return veorq_u8(vreinterpretq_u8_s8(vcombine_s8(vmovn_s16(ab), vmovn_s16(cd))), l.flip);
  }
  static void store(int8_t* y, Int codes, size_t channels) {
    if (channels == 16) return vst1q_s8(y, vreinterpretq_s8_u8(codes));
    uint8_t part[16];
    vst1q_u8(part, codes);
    __builtin_memcpy(y, part, channels);
  }
};

template <class V>
void depthwise_quads(const DepthwiseI8Rows& a) {
  for (size_t c = 0; c < a.channels; c += 16)
    depthwise_block<V, 2>(a, c, a.channels - c < 16 ? a.channels - c : 16);
}

}  // namespace
}  // namespace pith::kernels
