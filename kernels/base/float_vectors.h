// Vectors of floats per instruction set, as static members over the native type, so that one template serves all of them.
// Included by ISA files only (everything is in their anonymous namespace).
//
//   F, I, kLanes               floats, 32-bit integers, how many
//   load store splat zero      unaligned
//   add sub mul div            IEEE, never fused
//   mul_add(a, b, c)           a b + c in one rounding where kFused, else in two
//   larger(x, y)               x > y ? x : y, so NaN in x is passed over
//   zero_below(v, x, limit)    x < limit ? 0 : v;  NaN counts as not below
//   if_positive(x, v)          x > 0 ? v : 0;      NaN counts as not positive
//   positive_or(x, a, b)       x > 0 ? a : b
//   magnitude(x)               |x|
//   clamp(v, lo, hi)           v < lo ? lo : v, then v > hi ? hi : v: NaN stays
//   largest(v)                 of the lanes; none may be NaN
//   any_nan(v)
//   cvt(i)                     i32 to f32
//   bits(f), scaled(f, i)      the bits of f;  f * 2^n, where the low bits of i are n and the result is normal
//   store_bytes(to, i)         the low byte of every lane
//   halves(f16)                exact, subnormals too
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/unroll.h"
#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace pith::kernels {
namespace {

#if defined(__AVX2__)
struct F32x8 {
  using F = __m256;
  using I = __m256i;
  static constexpr size_t kLanes = 8;

  PITH_INLINE static F load(const float* p) { return _mm256_loadu_ps(p); }
  PITH_INLINE static void store(float* p, F v) { _mm256_storeu_ps(p, v); }
  PITH_INLINE static F splat(float x) { return _mm256_set1_ps(x); }
  PITH_INLINE static F zero() { return _mm256_setzero_ps(); }
  PITH_INLINE static F add(F a, F b) { return _mm256_add_ps(a, b); }
  PITH_INLINE static F sub(F a, F b) { return _mm256_sub_ps(a, b); }
  PITH_INLINE static F mul(F a, F b) { return _mm256_mul_ps(a, b); }
  PITH_INLINE static F div(F a, F b) { return _mm256_div_ps(a, b); }
  static constexpr bool kFused = true;
  PITH_INLINE static F mul_add(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
  PITH_INLINE static F larger(F x, F y) { return _mm256_max_ps(x, y); }
  PITH_INLINE static F zero_below(F v, F x, F limit) {
    return _mm256_andnot_ps(_mm256_cmp_ps(x, limit, _CMP_LT_OQ), v);
  }
  PITH_INLINE static F if_positive(F x, F v) {
    return _mm256_and_ps(_mm256_cmp_ps(x, zero(), _CMP_GT_OQ), v);
  }
  PITH_INLINE static F clamp(F v, F lo, F hi) { return _mm256_min_ps(hi, _mm256_max_ps(lo, v)); }
  PITH_INLINE static F positive_or(F x, F a, F b) {
    return _mm256_blendv_ps(b, a, _mm256_cmp_ps(x, zero(), _CMP_GT_OQ));
  }
  PITH_INLINE static float largest(F v) {
    __m128 h = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    h = _mm_max_ps(h, _mm_movehl_ps(h, h));
    return _mm_cvtss_f32(_mm_max_ss(h, _mm_movehdup_ps(h)));
  }
  PITH_INLINE static bool any_nan(F v) { return _mm256_movemask_ps(_mm256_cmp_ps(v, v, _CMP_UNORD_Q)) != 0; }
  PITH_INLINE static F magnitude(F x) { return _mm256_andnot_ps(splat(-0.0f), x); }
  PITH_INLINE static F cvt(I v) { return _mm256_cvtepi32_ps(v); }
  PITH_INLINE static I bits(F v) { return _mm256_castps_si256(v); }
  PITH_INLINE static F scaled(F v, I n) {
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(v), _mm256_slli_epi32(n, 23)));
  }
  PITH_INLINE static void store_bytes(uint8_t* to, I v) {
    const __m256i low = _mm256_shuffle_epi8(
        v, _mm256_setr_epi64x(0x0c080400, 0, 0x0c080400, 0));  // four bytes of each half at its start
    const __m128i pair = _mm_unpacklo_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
    _mm_storel_epi64(static_cast<__m128i*>(static_cast<void*>(to)), pair);
  }
  PITH_INLINE static F halves(const uint8_t* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(static_cast<const void*>(p))));
  }
};
#endif

#if defined(__AVX512F__)
struct F32x16 {
  using F = __m512;
  using I = __m512i;
  static constexpr size_t kLanes = 16;

  PITH_INLINE static F load(const float* p) { return _mm512_loadu_ps(p); }
  PITH_INLINE static void store(float* p, F v) { _mm512_storeu_ps(p, v); }
  PITH_INLINE static F splat(float x) { return _mm512_set1_ps(x); }
  PITH_INLINE static F zero() { return _mm512_setzero_ps(); }
  PITH_INLINE static F add(F a, F b) { return _mm512_add_ps(a, b); }
  PITH_INLINE static F sub(F a, F b) { return _mm512_sub_ps(a, b); }
  PITH_INLINE static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  PITH_INLINE static F div(F a, F b) { return _mm512_div_ps(a, b); }
  static constexpr bool kFused = true;
  PITH_INLINE static F mul_add(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  PITH_INLINE static F larger(F x, F y) { return _mm512_max_ps(x, y); }
  PITH_INLINE static F zero_below(F v, F x, F limit) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, limit, _CMP_NLT_UQ), v);
  }
  PITH_INLINE static F if_positive(F x, F v) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, zero(), _CMP_GT_OQ), v);
  }
  PITH_INLINE static F clamp(F v, F lo, F hi) { return _mm512_min_ps(hi, _mm512_max_ps(lo, v)); }
  PITH_INLINE static F positive_or(F x, F a, F b) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, zero(), _CMP_GT_OQ), b, a);
  }
  PITH_INLINE static float largest(F v) {
    return F32x8::largest(_mm256_max_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1)));
  }
  PITH_INLINE static bool any_nan(F v) { return _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q) != 0; }
  PITH_INLINE static F magnitude(F x) { return _mm512_andnot_ps(splat(-0.0f), x); }
  PITH_INLINE static F cvt(I v) { return _mm512_cvtepi32_ps(v); }
  PITH_INLINE static I bits(F v) { return _mm512_castps_si512(v); }
  PITH_INLINE static F scaled(F v, I n) {
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(v), _mm512_slli_epi32(n, 23)));
  }
  PITH_INLINE static void store_bytes(uint8_t* to, I v) {
    _mm_storeu_si128(static_cast<__m128i*>(static_cast<void*>(to)), _mm512_cvtepi32_epi8(v));
  }
  PITH_INLINE static F halves(const uint8_t* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(static_cast<const void*>(p))));
  }
};
#endif

#if defined(__ARM_NEON)
struct F32x4 {
  using F = float32x4_t;
  using I = int32x4_t;
  static constexpr size_t kLanes = 4;

  PITH_INLINE static F load(const float* p) { return vld1q_f32(p); }
  PITH_INLINE static void store(float* p, F v) { vst1q_f32(p, v); }
  PITH_INLINE static F splat(float x) { return vdupq_n_f32(x); }
  PITH_INLINE static F zero() { return vdupq_n_f32(0); }
  PITH_INLINE static F add(F a, F b) { return vaddq_f32(a, b); }
  PITH_INLINE static F sub(F a, F b) { return vsubq_f32(a, b); }
  PITH_INLINE static F mul(F a, F b) { return vmulq_f32(a, b); }
  PITH_INLINE static F larger(F x, F y) { return vbslq_f32(vcgtq_f32(x, y), x, y); }
  PITH_INLINE static F zero_below(F v, F x, F limit) {
    return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(v), vcltq_f32(x, limit)));
  }
  PITH_INLINE static F if_positive(F x, F v) {
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(v), vcgtq_f32(x, zero())));
  }
  PITH_INLINE static F clamp(F v, F lo, F hi) {
    v = vbslq_f32(vcltq_f32(v, lo), lo, v);
    return vbslq_f32(vcgtq_f32(v, hi), hi, v);
  }
  PITH_INLINE static F positive_or(F x, F a, F b) { return vbslq_f32(vcgtq_f32(x, zero()), a, b); }
  PITH_INLINE static float largest(F v) {
    float32x2_t h = vpmax_f32(vget_low_f32(v), vget_high_f32(v));
    h = vpmax_f32(h, h);
    return vget_lane_f32(h, 0);
  }
  PITH_INLINE static bool any_nan(F v) {
    const uint16x4_t same = vmovn_u32(vceqq_f32(v, v));
    return vget_lane_u64(vreinterpret_u64_u16(same), 0) != ~uint64_t{0};
  }
  PITH_INLINE static F magnitude(F x) { return vabsq_f32(x); }
  PITH_INLINE static F cvt(I v) { return vcvtq_f32_s32(v); }
  PITH_INLINE static I bits(F v) { return vreinterpretq_s32_f32(v); }
  PITH_INLINE static F scaled(F v, I n) {
    return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(v), vshlq_n_s32(n, 23)));
  }
  PITH_INLINE static void store_bytes(uint8_t* to, I v) {
    const int16x4_t words = vmovn_s32(v);
    const uint8x8_t bytes = vreinterpret_u8_s8(vmovn_s16(vcombine_s16(words, words)));
    const uint32_t four = vget_lane_u32(vreinterpret_u32_u8(bytes), 0);
    __builtin_memcpy(to, &four, 4);
  }
#if defined(__aarch64__)
  static constexpr bool kFused = true;
  PITH_INLINE static F mul_add(F a, F b, F c) { return vfmaq_f32(c, a, b); }
  PITH_INLINE static F div(F a, F b) { return vdivq_f32(a, b); }
  PITH_INLINE static F halves(const uint8_t* p) {
    uint64_t four;
    __builtin_memcpy(&four, p, 8);
    return vcvt_f32_f16(vreinterpret_f16_u64(vcreate_u64(four)));
  }
#else
  static constexpr bool kFused = false;
  PITH_INLINE static F mul_add(F a, F b, F c) { return vaddq_f32(vmulq_f32(a, b), c); }
  PITH_INLINE static F div(F a, F b) {  // NEON of ARMv7 cannot divide exactly
    float x[4], y[4];
    vst1q_f32(x, a);
    vst1q_f32(y, b);
    for (size_t i = 0; i < 4; ++i) x[i] /= y[i];
    return vld1q_f32(x);
  }
  // In integers: half conversion is an option of ARMv7, and NEON would flush what comes from half subnormals.
  PITH_INLINE static F halves(const uint8_t* p) {
    uint64_t four;
    __builtin_memcpy(&four, p, 8);
    const uint32x4_t h = vmovl_u16(vcreate_u16(four)), magnitude = vandq_u32(h, vdupq_n_u32(0x7fff));
    uint32x4_t wide = vaddq_u32(vshlq_n_u32(magnitude, 13), vdupq_n_u32(112u << 23));
    const uint32x4_t special = vcgeq_u32(magnitude, vdupq_n_u32(0x7c00));
    wide = vorrq_u32(wide, vandq_u32(special, vdupq_n_u32(0x7f800000u)));
    const uint32x4_t small = vreinterpretq_u32_f32(vmulq_n_f32(vcvtq_f32_u32(magnitude), 0x1p-24f));
    wide = vbslq_u32(vcltq_u32(magnitude, vdupq_n_u32(0x400)), small, wide);
    const uint32x4_t sign = vshlq_n_u32(vandq_u32(h, vdupq_n_u32(0x8000)), 16);
    return vreinterpretq_f32_u32(vorrq_u32(wide, sign));
  }
#endif
};
#endif

}  // namespace
}  // namespace pith::kernels
