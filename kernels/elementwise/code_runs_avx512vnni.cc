// Sums and products of codes with AVX-512, 32 at a time.
#include <immintrin.h>
// GCC 12 takes its own _mm512_undefined_*() for a use of an uninitialized variable.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include "kernels/elementwise/code_runs_vectors.h"

namespace pith::kernels {
namespace {

struct Words32 {
  using I = __m512i;
  using F = __m512;
  static constexpr size_t kWords = 32;

  static __m256i flips(uint8_t flip) { return _mm256_set1_epi8(static_cast<char>(flip)); }
  static I load(const uint8_t* p, uint8_t flip) {
    const __m256i x = _mm256_loadu_si256(static_cast<const __m256i*>(static_cast<const void*>(p)));
    return _mm512_cvtepi8_epi16(_mm256_xor_si256(x, flips(flip)));
  }
  static I splat(uint8_t code, uint8_t flip) { return set16(static_cast<int8_t>(code ^ flip)); }
  static I set_words(int16_t even, int16_t odd) {
    return set32(static_cast<int32_t>((static_cast<uint32_t>(odd) << 16) | static_cast<uint16_t>(even)));
  }
  static I set16(int32_t v) { return _mm512_set1_epi16(static_cast<int16_t>(v)); }
  static I set32(int32_t v) { return _mm512_set1_epi32(v); }
  static F set_f(float v) { return _mm512_set1_ps(v); }
  static I low(I a, I b) { return _mm512_unpacklo_epi16(a, b); }
  static I high(I a, I b) { return _mm512_unpackhi_epi16(a, b); }
  static I madd(I a, I b) { return _mm512_madd_epi16(a, b); }
  static I add32(I a, I b) { return _mm512_add_epi32(a, b); }
  static I sub16(I a, I b) { return _mm512_sub_epi16(a, b); }
  static I add16(I a, I b) { return _mm512_adds_epi16(a, b); }
  static I shift_left12(I v) { return _mm512_slli_epi32(v, 12); }
  static I shift_right(I v, int count) { return _mm512_sra_epi32(v, _mm_cvtsi32_si128(count)); }
  static I scaled(I v, F scale) { return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(v), scale)); }
  static I pack(I low, I high) { return _mm512_packs_epi32(low, high); }
  static I clamp16(I v, I lo, I hi) { return _mm512_min_epi16(_mm512_max_epi16(v, lo), hi); }
  static void store(uint8_t* p, I v, uint8_t flip) {
    _mm256_storeu_si256(static_cast<__m256i*>(static_cast<void*>(p)),
                        _mm256_xor_si256(_mm512_cvtepi16_epi8(v), flips(flip)));
  }
};

}  // namespace

void code_run_avx512vnni(const CodeArithmetic& c, const CodeRun& run) { run_codes<Words32>(c, run); }

}  // namespace pith::kernels
