// The tile of an i8 convolution on 256-bit vectors: R pixels by 16 channels at a time, two vectors of 8 sums each.
// For ISA files; Dot says how four bytes of a pixel meet a vector of weights.
//
//   struct Dot { using Operand = ...; static Operand broadcast(const uint8_t* p); static void add(__m256i& acc, Operand x, __m256i w); };
//
// Accumulators have names, not indices: GCC 12 spills arrays of them.
#pragma once
#include <immintrin.h>

#include "kernels/conv/conv_i8_tile.h"

#define PITH_TILE_ROWS(F) F(0) F(1) F(2) F(3) F(4) F(5)

namespace pith::kernels {
namespace {

inline __m256i load_ymm(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

struct FinishYmm {
  __m256 scale0, scale1;
  __m256i zero;
  __m128i lo, hi, flip;
  static __m256i quantize(__m256i acc, __m256 scale) {
    return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), scale));
  }
  // 16 codes of one pixel; packing works within 128-bit lanes, the permutation puts the quarters in order.
  __m128i codes(__m256i a, __m256i b) const {
    const __m256i pairs = _mm256_packs_epi32(quantize(a, scale0), quantize(b, scale1));
    const __m256i words = _mm256_adds_epi16(_mm256_permute4x64_epi64(pairs, 0xd8), zero);
    const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    return _mm_xor_si128(_mm_min_epi8(_mm_max_epi8(bytes, lo), hi), flip);
  }
};

inline void store_codes(int8_t* y, __m128i codes, size_t columns) {
  if (columns >= 16) return _mm_storeu_si128(static_cast<__m128i*>(static_cast<void*>(y)), codes);
  alignas(16) int8_t bytes[16];
  _mm_store_si128(static_cast<__m128i*>(static_cast<void*>(bytes)), codes);
  __builtin_memcpy(y, bytes, columns);
}

// Channels [c, c + 16) of the panel, or [c, c + 8) when !kPair.
template <class Dot, int R, bool kPair>
void tile_ymm(const ConvI8Tile& t, size_t c) {
  const __m256i start0 = load_ymm(t.start + c), start1 = kPair ? load_ymm(t.start + c + 8) : start0;
#define DECLARE(r)                                              \
  [[maybe_unused]] const uint8_t* p##r = t.rows[R > r ? r : 0]; \
  [[maybe_unused]] __m256i a##r = start0, b##r = start1;
  PITH_TILE_ROWS(DECLARE)
  const int8_t* w = t.w + 4 * c;
  const size_t w_step = t.width * 4;
  for (size_t run = 0; run < t.run_count; ++run) {
    size_t at = t.runs[run];
    for (const size_t end = at + t.run_bytes; at < end; at += 4) {
      const __m256i w0 = load_ymm(w);
      [[maybe_unused]] const __m256i w1 = kPair ? load_ymm(w + 32) : w0;
      w += w_step;
#define MULTIPLY(r)                             \
  if constexpr (R > r) {                        \
    const auto x = Dot::broadcast(p##r + at);   \
    Dot::add(a##r, x, w0);                      \
    if constexpr (kPair) Dot::add(b##r, x, w1); \
  }
      PITH_TILE_ROWS(MULTIPLY)
    }
  }
  FinishYmm f;
  f.scale0 = _mm256_loadu_ps(t.scale + c);
  f.scale1 = kPair ? _mm256_loadu_ps(t.scale + c + 8) : f.scale0;
  f.zero = _mm256_set1_epi16(static_cast<int16_t>(t.y_zero));
  f.lo = _mm_set1_epi8(static_cast<char>(t.y_lo)), f.hi = _mm_set1_epi8(static_cast<char>(t.y_hi));
  f.flip = _mm_set1_epi8(static_cast<char>(t.y_flip));
  const size_t left = t.columns - c, columns = kPair || left < 8 ? left : 8;
#define STORE(r) \
  if constexpr (R > r) store_codes(t.y + r * t.y_stride + c, f.codes(a##r, b##r), columns);
  PITH_TILE_ROWS(STORE)
#undef DECLARE
#undef MULTIPLY
#undef STORE
}

template <class Dot, int R>
void tile_rows_ymm(const ConvI8Tile& t) {
  size_t c = 0;
  for (; t.columns > c && t.width - c >= 16; c += 16) tile_ymm<Dot, R, true>(t, c);
  if (t.columns > c) tile_ymm<Dot, R, false>(t, c);
}

inline void copy_codes_ymm(uint8_t* to, const uint8_t* from, size_t n, uint8_t mask) {
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(mask));
  for (; n >= 32; n -= 32, to += 32, from += 32)
    _mm256_storeu_si256(static_cast<__m256i*>(static_cast<void*>(to)),
                        _mm256_xor_si256(load_ymm(from), flip));
  for (; n > 0; --n) *to++ = static_cast<uint8_t>(*from++ ^ mask);
}

}  // namespace
}  // namespace pith::kernels
