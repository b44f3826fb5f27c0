// Sums and products of codes with AVX2, 16 at a time.
#include <immintrin.h>

#include "kernels/elementwise/code_runs_vectors.h"

namespace pith::kernels {
namespace {

struct Words16 {
  using I = __m256i;
  using F = __m256;
  static constexpr size_t kWords = 16;

  static I load(const uint8_t* p, uint8_t flip) {
    const __m128i x = _mm_loadu_si128(static_cast<const __m128i*>(static_cast<const void*>(p)));
    return _mm256_cvtepi8_epi16(_mm_xor_si128(x, _mm_set1_epi8(static_cast<char>(flip))));
  }
  static I splat(uint8_t code, uint8_t flip) { return set16(static_cast<int8_t>(code ^ flip)); }
  static I set_words(int16_t even, int16_t odd) {
    return set32(static_cast<int32_t>((static_cast<uint32_t>(odd) << 16) | static_cast<uint16_t>(even)));
  }
  static I set16(int32_t v) { return _mm256_set1_epi16(static_cast<int16_t>(v)); }
  static I set32(int32_t v) { return _mm256_set1_epi32(v); }
  static F set_f(float v) { return _mm256_set1_ps(v); }
  static I low(I a, I b) { return _mm256_unpacklo_epi16(a, b); }
  static I high(I a, I b) { return _mm256_unpackhi_epi16(a, b); }
  static I madd(I a, I b) { return _mm256_madd_epi16(a, b); }
  static I add32(I a, I b) { return _mm256_add_epi32(a, b); }
  static I sub16(I a, I b) { return _mm256_sub_epi16(a, b); }
  static I add16(I a, I b) { return _mm256_adds_epi16(a, b); }
  static I shift_left12(I v) { return _mm256_slli_epi32(v, 12); }
  static I shift_right(I v, int count) { return _mm256_sra_epi32(v, _mm_cvtsi32_si128(count)); }
  static I scaled(I v, F scale) { return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(v), scale)); }
  static I pack(I low, I high) { return _mm256_packs_epi32(low, high); }
  static I clamp16(I v, I lo, I hi) { return _mm256_min_epi16(_mm256_max_epi16(v, lo), hi); }
  static void store(uint8_t* p, I v, uint8_t flip) {
    const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    _mm_storeu_si128(static_cast<__m128i*>(static_cast<void*>(p)),
                     _mm_xor_si128(bytes, _mm_set1_epi8(static_cast<char>(flip))));
  }
};

}  // namespace

void code_run_avx2(const CodeArithmetic& c, const CodeRun& run) { run_codes<Words16>(c, run); }

}  // namespace pith::kernels
