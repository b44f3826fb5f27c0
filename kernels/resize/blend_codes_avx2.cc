// Blends of rows of codes with AVX2, 16 at a time; a last piece that is shorter goes through a copy.
#include <immintrin.h>

#include "kernels/resize/blend_codes.h"

namespace pith::kernels {
namespace {

inline __m256 blend(__m256 a, __m256 b, __m256 wa, __m256 wb) {
  return _mm256_add_ps(_mm256_mul_ps(wa, a), _mm256_mul_ps(wb, b));
}

template <bool kSigned>
inline __m256 eight(__m128i codes) {
  return _mm256_cvtepi32_ps(kSigned ? _mm256_cvtepi8_epi32(codes) : _mm256_cvtepu8_epi32(codes));
}

template <bool kSigned>
inline void floats_of_16(const uint8_t* a, const uint8_t* b, __m256 wa, __m256 wb, float* y) {
  const __m128i x = _mm_loadu_si128(static_cast<const __m128i*>(static_cast<const void*>(a)));
  const __m128i z = _mm_loadu_si128(static_cast<const __m128i*>(static_cast<const void*>(b)));
  _mm256_storeu_ps(y, blend(eight<kSigned>(x), eight<kSigned>(z), wa, wb));
  const __m128i more = _mm_srli_si128(x, 8), others = _mm_srli_si128(z, 8);
  _mm256_storeu_ps(y + 8, blend(eight<kSigned>(more), eight<kSigned>(others), wa, wb));
}

template <bool kSigned>
void to_floats(const uint8_t* a, const uint8_t* b, BlendWeights w, float* y, size_t n) {
  const __m256 wa = _mm256_set1_ps(w.a), wb = _mm256_set1_ps(w.b);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) floats_of_16<kSigned>(a + i, b + i, wa, wb, y + i);
  if (i == n) return;
  uint8_t x[16] = {}, z[16] = {};
  float rest[16];
  __builtin_memcpy(x, a + i, n - i);
  __builtin_memcpy(z, b + i, n - i);
  floats_of_16<kSigned>(x, z, wa, wb, rest);
  __builtin_memcpy(y + i, rest, (n - i) * sizeof(float));
}

// Packing saturates.
template <bool kSigned>
inline __m128i codes_of_16(const float* a, const float* b, __m256 wa, __m256 wb) {
  const __m256i low = _mm256_cvtps_epi32(blend(_mm256_loadu_ps(a), _mm256_loadu_ps(b), wa, wb));
  const __m256i high = _mm256_cvtps_epi32(blend(_mm256_loadu_ps(a + 8), _mm256_loadu_ps(b + 8), wa, wb));
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
  const __m128i first = _mm256_castsi256_si128(words), second = _mm256_extracti128_si256(words, 1);
  return kSigned ? _mm_packs_epi16(first, second) : _mm_packus_epi16(first, second);
}

template <bool kSigned>
void to_codes(const float* a, const float* b, BlendWeights w, uint8_t* y, size_t n) {
  const __m256 wa = _mm256_set1_ps(w.a), wb = _mm256_set1_ps(w.b);
  size_t i = 0;
  for (; i + 16 <= n; i += 16)
    _mm_storeu_si128(static_cast<__m128i*>(static_cast<void*>(y + i)),
                     codes_of_16<kSigned>(a + i, b + i, wa, wb));
  if (i == n) return;
  float x[16] = {}, z[16] = {};
  uint8_t rest[16];
  __builtin_memcpy(x, a + i, (n - i) * sizeof(float));
  __builtin_memcpy(z, b + i, (n - i) * sizeof(float));
  _mm_storeu_si128(static_cast<__m128i*>(static_cast<void*>(rest)), codes_of_16<kSigned>(x, z, wa, wb));
  __builtin_memcpy(y + i, rest, n - i);
}

}  // namespace

void blend_to_floats_avx2(const uint8_t* a, const uint8_t* b, BlendWeights w, float* y, size_t n,
                          bool is_signed) {
  is_signed ? to_floats<true>(a, b, w, y, n) : to_floats<false>(a, b, w, y, n);
}
void blend_to_codes_avx2(const float* a, const float* b, BlendWeights w, uint8_t* y, size_t n,
                         bool is_signed) {
  is_signed ? to_codes<true>(a, b, w, y, n) : to_codes<false>(a, b, w, y, n);
}

}  // namespace pith::kernels
