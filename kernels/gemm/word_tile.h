// Sums of s8 products with AVX2 alone: codes widened to 16 bits, vpmaddwd and vpaddd, R rows by U vectors of 8 channels over
// panels of layout I8C. For ISA files.
//
// Two multiply units take 2 x 16 exact products in a cycle this way. Products of bytes (vpmaddubsw) give no more, because their
// pairs must be widened by vpmaddwd at once, and cost a vpsignb so that they do not saturate. Rows are widened before
// (once for all channels), weights on the way: 2 conversions for R rows.
//
// Sixteen weights are 4 channels x 4 k; they meet the four codes of a row, so that a channel has two sums side by side:
//   acc[2 (r U + u)]      | c0 k01 | c0 k23 | c1 k01 | c1 k23 || c2 .. | c3 .. |      acc[2 (r U + u) + 1]: c4 to c7
#pragma once
#include <immintrin.h>

#include <cstdint>

#include "kernels/base/unroll.h"

namespace pith::kernels {
namespace {

template <size_t R, size_t U>
struct WordTile {
  static constexpr size_t kSums = 2 * R * U;
  __m256i acc[kSums];

  PITH_INLINE void clear() { clear(IndicesTo<kSums>{}); }
  // The next `quads` groups of 4 k: weights of the first channel from w on, w_step bytes apart; `at` bytes into the rows.
  // ahead: bytes that weights are prefetched ahead.
  PITH_INLINE void add(const int8_t* w, size_t w_step, size_t quads, const uint8_t* const (&rows)[R],
                       size_t at, size_t ahead) {
#pragma GCC unroll 1
    for (; quads > 0; --quads, w += w_step, at += 8) {
      __builtin_prefetch(w + ahead);
      if constexpr (U > 2) __builtin_prefetch(w + ahead + 64);
      vectors(w, rows, at, IndicesTo<U>{});
    }
  }
  // Channels in the order 0 1 4 5 2 3 6 7.
  template <size_t r, size_t u>
  PITH_INLINE __m256i sum() const {
    const __m256 a = _mm256_castsi256_ps(acc[2 * (r * U + u)]),
                 b = _mm256_castsi256_ps(acc[2 * (r * U + u) + 1]);
    return _mm256_add_epi32(_mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88)),
                            _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xdd)));
  }

 private:
  template <size_t... j>
  PITH_INLINE void clear(Indices<j...>) {
    ((acc[j] = _mm256_setzero_si256()), ...);
  }
  template <size_t... u>
  PITH_INLINE void vectors(const int8_t* w, const uint8_t* const (&rows)[R], size_t at, Indices<u...>) {
    (vector<u>(w + 32 * u, rows, at, IndicesTo<R>{}), ...);
  }
  template <size_t u, size_t... r>
  PITH_INLINE void vector(const int8_t* w, const uint8_t* const (&rows)[R], size_t at, Indices<r...>) {
    const __m256i low = widen(w), high = widen(w + 16);
    (row<u, r>(low, high, rows[r] + at), ...);
  }
  template <size_t u, size_t r>
  PITH_INLINE void row(__m256i low, __m256i high, const uint8_t* codes) {
    int64_t four;
    __builtin_memcpy(&four, codes, 8);
    const __m256i x = _mm256_set1_epi64x(four);
    constexpr size_t j = 2 * (r * U + u);
    add_to(acc[j], _mm256_madd_epi16(x, low));
    add_to(acc[j + 1], _mm256_madd_epi16(x, high));
  }
  // In place and in this order: GCC 12 else loads all rows first and spills, or copies sums between registers.
  PITH_INLINE static void add_to(__m256i& sum, __m256i product) {
    asm volatile("vpaddd %1, %0, %0" : "+x"(sum) : "x"(product));
  }
  PITH_INLINE static __m256i widen(const int8_t* w) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(static_cast<const __m128i*>(static_cast<const void*>(w))));
  }
};

// vpshufb: bytes 0 to 7 of the lower half and 8 to 15 of the upper one, each as a word. With sixteen bytes in both halves one
// quick instruction widens unsigned codes; vpmovsxbw takes two, and signs would take three.
PITH_INLINE __m256i word_spread() {
  constexpr int64_t kFirst = static_cast<int64_t>(0x8003800280018000), kNext = 0x0004000400040004;
  return _mm256_setr_epi64x(kFirst, kFirst + kNext, kFirst + 2 * kNext, kFirst + 3 * kNext);
}
PITH_INLINE __m256i sixteen_twice(const void* p) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(static_cast<const __m128i*>(p)));
}

// Natural order of channels to that of WordTile::sum, and back: it is its own inverse.
PITH_INLINE __m256i swap_middle(__m256i x) { return _mm256_permute4x64_epi64(x, 0xd8); }

// to[i] = from[i] ^ mask, widened by zeros. Reads n bytes and no others, writes 2 n.
inline void widen_codes(uint8_t* to, const uint8_t* from, size_t n, uint8_t mask) {
  const __m256i flip = _mm256_set1_epi16(mask), spread = word_spread();
  for (; n >= 16; n -= 16, to += 32, from += 16)
    _mm256_storeu_si256(static_cast<__m256i*>(static_cast<void*>(to)),
                        _mm256_xor_si256(_mm256_shuffle_epi8(sixteen_twice(from), spread), flip));
  for (; n > 0; --n, to += 2) {
    const uint16_t wide = *from++ ^ mask;
    __builtin_memcpy(to, &wide, 2);
  }
}

}  // namespace
}  // namespace pith::kernels
