// 256- and 128-bit vectors of the depthwise loop with AVX2, without the dot product; for ISA files.
#pragma once
#include <immintrin.h>

#include "kernels/depthwise/depthwise_i8_generic.h"

namespace pith::kernels {
namespace {

struct Ymm {
  using Int = __m256i;
  using Float = __m256;
  static constexpr size_t kChannels = 32;
  struct Limits {
    Int zero, lo, hi, flip;
  };
  static constexpr bool kManyRegisters = false;
  static Int load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
  static Int load_some(const uint8_t* p, size_t n) {
    alignas(32) uint8_t bytes[32] = {};
    __builtin_memcpy(bytes, p, n);
    return load(bytes);
  }
  static void store_all(uint8_t* p, Int x) {
    _mm256_storeu_si256(static_cast<__m256i*>(static_cast<void*>(p)), x);
  }
  static Int splat(uint8_t byte) { return _mm256_set1_epi8(static_cast<char>(byte)); }
  static Int splat_dword(int32_t x) { return _mm256_set1_epi32(x); }
  static Int exclusive(Int a, Int b) { return _mm256_xor_si256(a, b); }
  static Int both(Int a, Int b) { return _mm256_and_si256(a, b); }
  static Int low8(Int a, Int b) { return _mm256_unpacklo_epi8(a, b); }
  static Int high8(Int a, Int b) { return _mm256_unpackhi_epi8(a, b); }
  static Int low16(Int a, Int b) { return _mm256_unpacklo_epi16(a, b); }
  static Int high16(Int a, Int b) { return _mm256_unpackhi_epi16(a, b); }
  static Int shift_up(Int x, unsigned bits) {
    return _mm256_sll_epi32(x, _mm_cvtsi32_si128(static_cast<int>(bits)));
  }
  static Int shift_down(Int x, unsigned bits) {
    return _mm256_srl_epi32(x, _mm_cvtsi32_si128(static_cast<int>(bits)));
  }
  static Int either(Int a, Int b) { return _mm256_or_si256(a, b); }
  // 32 dwords in natural order to lanes: vector i takes 128-bit pieces i and 4 + i.
  static void load_lanes(const void* from, Int (&out)[4]) {
    const auto* p = static_cast<const char*>(from);
    const Int a = load(p), b = load(p + 32), c = load(p + 64), d = load(p + 96);
    out[0] = _mm256_permute2x128_si256(a, c, 0x20), out[1] = _mm256_permute2x128_si256(a, c, 0x31);
    out[2] = _mm256_permute2x128_si256(b, d, 0x20), out[3] = _mm256_permute2x128_si256(b, d, 0x31);
  }
  static void load_lanes(const float* from, Float (&out)[4]) {
    Int lanes[4];
    load_lanes(static_cast<const void*>(from), lanes);
    for (int i = 0; i < 4; ++i) out[i] = _mm256_castsi256_ps(lanes[i]);
  }
  static Limits limits(int32_t zero, int32_t lo, int32_t hi, uint8_t flip) {
    return {_mm256_set1_epi16(static_cast<int16_t>(zero)), _mm256_set1_epi8(static_cast<char>(lo)),
            _mm256_set1_epi8(static_cast<char>(hi)), _mm256_set1_epi8(static_cast<char>(flip))};
  }
  static Int quantize(Int acc, Float scale) {
    return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), scale));
  }
  static Int finish(Int a, Int b, Int c, Int d, const Float (&scale)[4], const Limits& l) {
    const Int ab = _mm256_packs_epi32(quantize(a, scale[0]), quantize(b, scale[1]));
    const Int cd = _mm256_packs_epi32(quantize(c, scale[2]), quantize(d, scale[3]));
    const Int codes = _mm256_packs_epi16(_mm256_adds_epi16(ab, l.zero), _mm256_adds_epi16(cd, l.zero));
    return _mm256_xor_si256(_mm256_min_epi8(_mm256_max_epi8(codes, l.lo), l.hi), l.flip);
  }
  static void store(int8_t* y, Int codes, size_t channels) {
    if (channels == 32) return _mm256_storeu_si256(static_cast<__m256i*>(static_cast<void*>(y)), codes);
    alignas(32) int8_t bytes[32];
    _mm256_store_si256(static_cast<__m256i*>(static_cast<void*>(bytes)), codes);
    __builtin_memcpy(y, bytes, channels);
  }
};

struct Xmm {
  using Int = __m128i;
  using Float = __m128;
  static constexpr size_t kChannels = 16;
  struct Limits {
    Int zero, lo, hi, flip;
  };
  static constexpr bool kManyRegisters = false;
  static Int load(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
  static Int load_some(const uint8_t* p, size_t n) {
    alignas(16) uint8_t bytes[16] = {};
    __builtin_memcpy(bytes, p, n);
    return load(bytes);
  }
  static void store_all(uint8_t* p, Int x) {
    _mm_storeu_si128(static_cast<__m128i*>(static_cast<void*>(p)), x);
  }
  static Int splat(uint8_t byte) { return _mm_set1_epi8(static_cast<char>(byte)); }
  static Int splat_dword(int32_t x) { return _mm_set1_epi32(x); }
  static Int exclusive(Int a, Int b) { return _mm_xor_si128(a, b); }
  static Int both(Int a, Int b) { return _mm_and_si128(a, b); }
  static Int low8(Int a, Int b) { return _mm_unpacklo_epi8(a, b); }
  static Int high8(Int a, Int b) { return _mm_unpackhi_epi8(a, b); }
  static Int low16(Int a, Int b) { return _mm_unpacklo_epi16(a, b); }
  static Int high16(Int a, Int b) { return _mm_unpackhi_epi16(a, b); }
  static Int shift_up(Int x, unsigned bits) {
    return _mm_sll_epi32(x, _mm_cvtsi32_si128(static_cast<int>(bits)));
  }
  static Int shift_down(Int x, unsigned bits) {
    return _mm_srl_epi32(x, _mm_cvtsi32_si128(static_cast<int>(bits)));
  }
  static Int either(Int a, Int b) { return _mm_or_si128(a, b); }
  static void load_lanes(const void* from, Int (&out)[4]) {
    for (int i = 0; i < 4; ++i) out[i] = load(static_cast<const char*>(from) + 16 * i);
  }
  static void load_lanes(const float* from, Float (&out)[4]) {
    for (int i = 0; i < 4; ++i) out[i] = _mm_loadu_ps(from + 4 * i);
  }
  static Limits limits(int32_t zero, int32_t lo, int32_t hi, uint8_t flip) {
    return {_mm_set1_epi16(static_cast<int16_t>(zero)), _mm_set1_epi8(static_cast<char>(lo)),
            _mm_set1_epi8(static_cast<char>(hi)), _mm_set1_epi8(static_cast<char>(flip))};
  }
  static Int quantize(Int acc, Float scale) {
    return _mm_cvtps_epi32(_mm_mul_ps(_mm_cvtepi32_ps(acc), scale));
  }
  static Int finish(Int a, Int b, Int c, Int d, const Float (&scale)[4], const Limits& l) {
    const Int ab = _mm_packs_epi32(quantize(a, scale[0]), quantize(b, scale[1]));
    const Int cd = _mm_packs_epi32(quantize(c, scale[2]), quantize(d, scale[3]));
    const Int codes = _mm_packs_epi16(_mm_adds_epi16(ab, l.zero), _mm_adds_epi16(cd, l.zero));
    return _mm_xor_si128(_mm_min_epi8(_mm_max_epi8(codes, l.lo), l.hi), l.flip);
  }
  static void store(int8_t* y, Int codes, size_t channels) {
    if (channels == 16) return _mm_storeu_si128(static_cast<__m128i*>(static_cast<void*>(y)), codes);
    alignas(16) int8_t bytes[16];
    _mm_store_si128(static_cast<__m128i*>(static_cast<void*>(bytes)), codes);
    __builtin_memcpy(y, bytes, channels);
  }
};

// Channels from c on, 32 at a time, then up to 16 or 32.
template <class Y, class X, int kMost>
void depthwise_ymm_blocks(const DepthwiseI8Rows& a, size_t c) {
  for (; a.channels - c > 16; c += 32) {
    const size_t n = a.channels - c < 32 ? a.channels - c : 32;
    depthwise_block<Y, kMost>(a, c, n);
    if (n < 32) return;
  }
  if (c < a.channels) depthwise_block<X, kMost>(a, c, a.channels - c);
}

}  // namespace
}  // namespace pith::kernels
