// Quantizing with AVX2: the same IEEE operations as the reference, 32 floats at a time.
#include <immintrin.h>

#include "kernels/quantize/codes_of_floats.h"

namespace pith::kernels {
namespace {

struct Grid {
  __m256 scale, low, high;
  __m256i shift;  // to 0..255
  __m256i flip;   // and from there to the code's byte
};

// max returns its second operand when the first is NaN, as the reference does.
inline __m256i to_255(const float* x, const Grid& g) {
  const __m256 steps = _mm256_div_ps(_mm256_loadu_ps(x), g.scale);
  const __m256 held = _mm256_min_ps(_mm256_max_ps(steps, g.low), g.high);
  return _mm256_add_epi32(_mm256_cvtps_epi32(held), g.shift);
}

inline __m256i codes_of_32(const float* x, const Grid& g) {
  const __m256i words = _mm256_packs_epi32(to_255(x, g), to_255(x + 8, g));
  const __m256i more = _mm256_packs_epi32(to_255(x + 16, g), to_255(x + 24, g));
  const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(words, more),
                                                    _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  return _mm256_xor_si256(bytes, g.flip);
}

}  // namespace

void codes_of_floats_avx2(const float* x, uint8_t* y, size_t n, const FloatGrid& g) {
  const Grid grid{_mm256_set1_ps(g.scale), _mm256_set1_ps(static_cast<float>(g.lo - g.zero)),
                  _mm256_set1_ps(static_cast<float>(g.lo + 255 - g.zero)), _mm256_set1_epi32(g.zero - g.lo),
                  _mm256_set1_epi8(g.lo == 0 ? 0 : -128)};
  size_t i = 0;
  for (; i + 32 <= n; i += 32)
    _mm256_storeu_si256(static_cast<__m256i*>(static_cast<void*>(y + i)), codes_of_32(x + i, grid));
  if (i == n) return;
  alignas(32) float rest[32] = {};
  alignas(32) uint8_t codes[32];
  for (size_t k = 0; k < n - i; ++k) rest[k] = x[i + k];
  _mm256_store_si256(static_cast<__m256i*>(static_cast<void*>(codes)), codes_of_32(rest, grid));
  for (size_t k = 0; k < n - i; ++k) y[i + k] = codes[k];
}

}  // namespace pith::kernels
