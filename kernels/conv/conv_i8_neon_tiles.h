// The tile of an i8 convolution on 128-bit NEON vectors: R pixels by 8 channels at a time. For ISA files; Dot says how four
// bytes of a pixel meet the weights of 8 channels.
//
//   struct Dot { struct Sums; static void add(Sums&, const uint8_t* x, int8x16_t w0, int8x16_t w1);
//                static int32x4_t first(const Sums&); static int32x4_t second(const Sums&); };
//
// Accumulators have names, not indices: GCC 12 spills arrays of them.
#pragma once
#include <arm_neon.h>

#include "kernels/conv/conv_i8_tile.h"

#define PITH_TILE_ROWS(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7)

namespace pith::kernels {
namespace {

struct FinishNeon {
  int32x4_t start0, start1;
  float32x4_t scale0, scale1, low, high;
  int32x4_t zero;
  uint8x8_t flip;
  // requantize() of kernels/base/requant.h: clamped first, then rounded by adding 1.5 * 2^23.
  int16x4_t quantize(int32x4_t acc, float32x4_t scale) const {
    const float32x4_t steps = vmulq_f32(vcvtq_f32_s32(acc), scale);
    const float32x4_t held = vminq_f32(vmaxq_f32(steps, low), high);
    return vmovn_s32(vaddq_s32(vreinterpretq_s32_f32(vaddq_f32(held, vdupq_n_f32(12582912.0f))), zero));
  }
  uint8x8_t codes(int32x4_t a, int32x4_t b) const {
    const int16x8_t words =
        vcombine_s16(quantize(vaddq_s32(a, start0), scale0), quantize(vaddq_s32(b, start1), scale1));
    return veor_u8(vreinterpret_u8_s8(vmovn_s16(words)), flip);
  }
};

// For channels [c, c + 8) of the panel.
inline FinishNeon finish_of(const ConvI8Tile& t, size_t c) {
  FinishNeon f;
  f.start0 = vld1q_s32(t.start + c), f.start1 = vld1q_s32(t.start + c + 4);
  f.scale0 = vld1q_f32(t.scale + c), f.scale1 = vld1q_f32(t.scale + c + 4);
  f.low = vdupq_n_f32(static_cast<float>(t.y_lo - t.y_zero));
  f.high = vdupq_n_f32(static_cast<float>(t.y_hi - t.y_zero));
  f.zero = vdupq_n_s32(t.y_zero - 0x4B400000);
  f.flip = vdup_n_u8(t.y_flip);
  return f;
}

inline void store_codes(int8_t* y, uint8x8_t codes, size_t columns) {
  uint8_t bytes[8];
  vst1_u8(bytes, codes);
  __builtin_memcpy(y, bytes, columns);
}

// Channels [c, c + 8) of the panel.
template <class Dot, int R>
void tile_neon(const ConvI8Tile& t, size_t c) {
#define DECLARE(r)                                              \
  [[maybe_unused]] const uint8_t* p##r = t.rows[R > r ? r : 0]; \
  [[maybe_unused]] typename Dot::Sums s##r{};
  PITH_TILE_ROWS(DECLARE)
  const int8_t* w = t.w + 4 * c;
  const size_t w_step = t.width * 4;
  for (size_t run = 0; run < t.run_count; ++run) {
    size_t at = t.runs[run];
    for (const size_t end = at + t.run_bytes; at < end; at += 4) {
      const int8x16_t w0 = vld1q_s8(w), w1 = vld1q_s8(w + 16);
      w += w_step;
#define MULTIPLY(r) \
  if constexpr (R > r) Dot::add(s##r, p##r + at, w0, w1);
      PITH_TILE_ROWS(MULTIPLY)
    }
  }
  const FinishNeon f = finish_of(t, c);
  const size_t left = t.columns - c, columns = left < 8 ? left : 8;
#define STORE(r)       \
  if constexpr (R > r) \
    store_codes(t.y + r * t.y_stride + c, f.codes(Dot::first(s##r), Dot::second(s##r)), columns);
  PITH_TILE_ROWS(STORE)
#undef DECLARE
#undef MULTIPLY
#undef STORE
}

template <class Dot, int R>
void tile_rows_neon(const ConvI8Tile& t) {
  for (size_t c = 0; c < t.columns; c += 8) tile_neon<Dot, R>(t, c);
}

inline void copy_codes_neon_any(uint8_t* to, const uint8_t* from, size_t n, uint8_t mask) {
  const uint8x16_t flip = vdupq_n_u8(mask);
  for (; n >= 16; n -= 16, to += 16, from += 16) vst1q_u8(to, veorq_u8(vld1q_u8(from), flip));
  for (; n > 0; --n) *to++ = static_cast<uint8_t>(*from++ ^ mask);
}

// Four bytes, twice.
inline int8x8_t twice(const uint8_t* p) {
  int32_t v;
  __builtin_memcpy(&v, p, 4);
  return vreinterpret_s8_s32(vdup_n_s32(v));
}

}  // namespace
}  // namespace pith::kernels
