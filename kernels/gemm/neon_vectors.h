// 128-bit ARM vectors for the products with packed weights: 4 channels x 4 k. What the plain NEON and the dot-product build
// share, and the plain ones. Included by ISA files only. ARMv7 lacks some 64-bit forms; its versions are beside them.
#pragma once
#include <arm_neon.h>

#include "kernels/gemm/panel4_tiles.h"
#include "kernels/gemm/panel_i8c_tiles.h"

namespace pith::kernels {
namespace {

struct NeonBase {
  using W = int8x16_t;
  using Acc = int32x4_t;
  using F = float32x4_t;
  using Bytes = int32x4_t;  // zero points, already widened
  using Table = int8x16_t;
  using Scales = int32x4_t;
  using ZeroScales = int32x4_t;
  static constexpr size_t kLanes = 4, kBytes = 16;
  static constexpr bool kPairs = false, kRolled = false;

  PITH_INLINE static Acc zero() { return vdupq_n_s32(0); }
  PITH_INLINE static W load(const uint8_t* p) { return vreinterpretq_s8_u8(vld1q_u8(p)); }
  PITH_INLINE static W low(W x) { return vandq_s8(x, vdupq_n_s8(15)); }
  PITH_INLINE static W high(W x) { return vreinterpretq_s8_u8(vshrq_n_u8(vreinterpretq_u8_s8(x), 4)); }
  PITH_INLINE static Acc load_i(const int32_t* p) { return vld1q_s32(p); }
  PITH_INLINE static void store_i(int32_t* p, Acc v) { vst1q_s32(p, v); }
  PITH_INLINE static Acc add_i(Acc a, Acc b) { return vaddq_s32(a, b); }
  PITH_INLINE static F load_f(const float* p) { return vld1q_f32(p); }
  PITH_INLINE static void store_f(float* p, F v) { vst1q_f32(p, v); }
  PITH_INLINE static F splat_f(float x) { return vdupq_n_f32(x); }
  PITH_INLINE static F cvt(Acc v) { return vcvtq_f32_s32(v); }
  PITH_INLINE static F add(F a, F b) { return vaddq_f32(a, b); }
  PITH_INLINE static F mul(F a, F b) { return vmulq_f32(a, b); }
  // As v < lo ? lo : v, then v > hi ? hi : v: NaN stays, and so does the sign of zero.
  PITH_INLINE static F clamp(F v, F lo, F hi) {
    v = vbslq_f32(vcltq_f32(v, lo), lo, v);
    return vbslq_f32(vcgtq_f32(v, hi), hi, v);
  }
  PITH_INLINE static F bytes(const uint8_t* p) { return cvt(scales(p)); }
  PITH_INLINE static Scales scales(const uint8_t* p) {
    uint32_t four;
    __builtin_memcpy(&four, p, 4);
    return vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u32(vdup_n_u32(four)))));
  }
  PITH_INLINE static Bytes nibbles(const uint8_t* p, bool high_ones) {
    uint32_t four;
    __builtin_memcpy(&four, p, 4);
    four = (high_ones ? four >> 4 : four) & 0x0f0f0f0fu;
    return vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u32(vdup_n_u32(four)))));
  }
  PITH_INLINE static ZeroScales zero_scales(const uint8_t* s, Bytes z) {
    return vmulq_s32(scales(s), vsubq_s32(vdupq_n_s32(8), z));
  }
  PITH_INLINE static Table table(const int8_t* codebook) {
    return codebook == nullptr ? vdupq_n_s8(0) : vld1q_s8(codebook);
  }
#if defined(__aarch64__)
  PITH_INLINE static W look_up(W nibbles_, Table t) { return vqtbl1q_s8(t, vreinterpretq_u8_s8(nibbles_)); }
  PITH_INLINE static F halves(const uint8_t* p) {
    uint64_t four;
    __builtin_memcpy(&four, p, 8);
    return vcvt_f32_f16(vreinterpret_f16_u64(vcreate_u64(four)));
  }
#else
  PITH_INLINE static W look_up(W nibbles_, Table t) {
    const int8x8x2_t both = {{vget_low_s8(t), vget_high_s8(t)}};
    return vcombine_s8(vtbl2_s8(both, vget_low_s8(nibbles_)), vtbl2_s8(both, vget_high_s8(nibbles_)));
  }
  // Scalar: half conversion is an option of ARMv7, and NEON would flush what comes from half subnormals.
  PITH_INLINE static F halves(const uint8_t* p) {
    float out[4];
    for (size_t i = 0; i < 4; ++i) {
      uint16_t bits;
      __builtin_memcpy(&bits, p + 2 * i, 2);
      const uint32_t magnitude = bits & 0x7fffu;
      uint32_t wide = (magnitude << 13) + (112u << 23);
      if (magnitude >= 0x7c00u) wide = 0x7f800000u | magnitude << 13;
      float value;
      __builtin_memcpy(&value, &wide, 4);
      if (magnitude < 0x400u) value = static_cast<float>(magnitude) * 0x1p-24f;
      out[i] = (bits & 0x8000u) != 0 ? -value : value;
    }
    return vld1q_f32(out);
  }
#endif
};

#ifdef PITH_SDOT
struct NeonDot : NeonBase {
  template <Layout>
  using Sum = Acc;
  using Sum8 = Acc;
  struct Acts {
    int8x16_t quads[2];
  };
  using Acts8 = int8x16_t;
  static constexpr size_t kSteps = 4;

  template <Layout L>
  static constexpr RowForm form() {
    return L == Layout::i8c ? RowForm::grid : L == Layout::i4a ? RowForm::minus8_sum : RowForm::minus8;
  }
  PITH_INLINE static Acts acts(const int8_t* codes) { return {{vld1q_s8(codes), vld1q_s8(codes + 16)}}; }
  PITH_INLINE static Acts8 acts8(const int8_t* codes) { return vld1q_s8(codes); }
  template <Layout L>
  PITH_INLINE static Acc start(const int32_t* sums) {
    return uses_table(L) ? zero() : vld1q_dup_s32(sums);
  }
  template <Layout, size_t j>
  PITH_INLINE static Acc dot(Acc i, W w, const Acts& a) {
    return vdotq_laneq_s32(i, w, a.quads[j / 4], j % 4);
  }
  template <Layout>
  PITH_INLINE static Acc finish(Acc i) {
    return i;
  }
  template <Layout>
  PITH_INLINE static Acc apply(Acc acc, Acc i, Scales s) {
    return vmlaq_s32(acc, i, s);
  }
  PITH_INLINE static Acc apply_zero(Acc acc, ZeroScales z, const int32_t* sums) {
    return vmlaq_s32(acc, z, vdupq_n_s32(static_cast<int16_t>(sums[1] & 0xffff)));
  }
  PITH_INLINE static Sum8 zero8() { return zero(); }
  template <size_t j>
  PITH_INLINE static Sum8 dot8(Sum8 i, W w, Acts8 a) {
    return vdotq_laneq_s32(i, w, a, j);
  }
  PITH_INLINE static Acc finish8(Sum8 i) { return i; }
  PITH_INLINE static Acc start8(int32_t zero_point, const int32_t* ksum) {
    return vmulq_s32(vdupq_n_s32(-zero_point), vld1q_s32(ksum));
  }
};
#else
// ARMv7 and ARMv8.0. 4-bit: 16-bit sums, one per channel and k % 4: 8 products of at most 15 * 127, started at -8 sum(a).
// 8-bit: one widening multiplication is folded into 32 bits at once (two would not fit: 2 * 128 * 128).
struct Neon : NeonBase {
  struct Halves {  // channels 0 and 1, channels 2 and 3
    int16x8_t low, high;
  };
  struct Words {
    int32x4_t low, high;
  };
  template <bool, class = void>
  struct SumOf {
    using Type = Halves;
  };
  template <class T>
  struct SumOf<true, T> {
    using Type = Words;
  };
  template <Layout L>
  using Sum = typename SumOf<uses_table(L)>::Type;
  using Sum8 = Words;
  struct Acts {
    int32x4_t quads[2];
  };
  using Acts8 = int32x4_t;
  static constexpr size_t kSteps = 4;

  template <Layout L>
  static constexpr RowForm form() {
    return L == Layout::i8c ? RowForm::grid : RowForm::minus8_classes;
  }
  PITH_INLINE static Acts acts(const int8_t* codes) {
    return {{vreinterpretq_s32_s8(vld1q_s8(codes)), vreinterpretq_s32_s8(vld1q_s8(codes + 16))}};
  }
  PITH_INLINE static Acts8 acts8(const int8_t* codes) { return vreinterpretq_s32_s8(vld1q_s8(codes)); }
  template <size_t j>
  PITH_INLINE static int8x8_t quad_of(int32x4_t quads) {
    return vreinterpret_s8_s32(vdup_lane_s32(j < 2 ? vget_low_s32(quads) : vget_high_s32(quads), j % 2));
  }
  template <Layout L>
  PITH_INLINE static Sum<L> start(const int32_t* sums) {
    if constexpr (uses_table(L)) {
      return {zero(), zero()};
    } else {
      const int16x4_t classes = vreinterpret_s16_s32(vld1_s32(sums));
      return {vcombine_s16(classes, classes), vcombine_s16(classes, classes)};
    }
  }
  template <Layout L, size_t j>
  PITH_INLINE static Sum<L> dot(Sum<L> i, W w, const Acts& a) {
    const int8x8_t quad = quad_of<j % 4>(a.quads[j / 4]);
    if constexpr (uses_table(L))
      return add_products(i, w, quad);
    else
      return {vmlal_s8(i.low, vget_low_s8(w), quad), vmlal_s8(i.high, vget_high_s8(w), quad)};
  }
  PITH_INLINE static Words add_products(Words i, W w, int8x8_t quad) {
    return {vpadalq_s16(i.low, vmull_s8(vget_low_s8(w), quad)),
            vpadalq_s16(i.high, vmull_s8(vget_high_s8(w), quad))};
  }
  PITH_INLINE static Acc fold(Words i) {
    return vcombine_s32(vpadd_s32(vget_low_s32(i.low), vget_high_s32(i.low)),
                        vpadd_s32(vget_low_s32(i.high), vget_high_s32(i.high)));
  }
  template <Layout L>
  PITH_INLINE static Acc finish(Sum<L> i) {
    if constexpr (uses_table(L))
      return fold(i);
    else
      return fold({vpaddlq_s16(i.low), vpaddlq_s16(i.high)});
  }
  template <Layout L>
  PITH_INLINE static Acc apply(Acc acc, Sum<L> i, Scales s) {
    return vmlaq_s32(acc, finish<L>(i), s);
  }
  PITH_INLINE static Acc apply_zero(Acc acc, ZeroScales z, const int32_t* sums) {
    const int32x2_t pairs = vpaddl_s16(vreinterpret_s16_s32(vld1_s32(sums)));  // -8 sum(a) in two parts
    const int32_t sum = -(vget_lane_s32(pairs, 0) + vget_lane_s32(pairs, 1)) / 8;
    return vmlaq_s32(acc, z, vdupq_n_s32(sum));
  }
  PITH_INLINE static Sum8 zero8() { return {zero(), zero()}; }
  template <size_t j>
  PITH_INLINE static Sum8 dot8(Sum8 i, W w, Acts8 a) {
    return add_products(i, w, quad_of<j>(a));
  }
  PITH_INLINE static Acc finish8(Sum8 i) { return fold(i); }
  PITH_INLINE static Acc start8(int32_t zero_point, const int32_t* ksum) {
    return vmulq_s32(vdupq_n_s32(-zero_point), vld1q_s32(ksum));
  }
};
#endif

}  // namespace
}  // namespace pith::kernels
