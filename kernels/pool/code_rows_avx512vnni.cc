// Largest and sum of rows of codes with AVX-512.
#include <immintrin.h>
// GCC 12 takes its own _mm512_undefined_*() for a use of an uninitialized variable.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include "kernels/pool/code_rows_vectors.h"

namespace pith::kernels {
namespace {

struct Codes64 {
  using I = __m512i;
  static constexpr size_t kBytes = 64, kWords = 32;
  static I load(const void* p) { return _mm512_loadu_si512(p); }
  static void store(void* p, I v) { _mm512_storeu_si512(p, v); }
  static I max_signed(I a, I b) { return _mm512_max_epi8(a, b); }
  static I max_unsigned(I a, I b) { return _mm512_max_epu8(a, b); }
  static I add16(I a, I b) { return _mm512_add_epi16(a, b); }
  static I words(const void* p, uint8_t flip) {
    const __m256i x = _mm256_loadu_si256(static_cast<const __m256i*>(p));
    return _mm512_cvtepi8_epi16(_mm256_xor_si256(x, _mm256_set1_epi8(static_cast<char>(flip))));
  }
  static void add_to(int32_t* sums, I v) {
    store(sums, _mm512_add_epi32(load(sums), _mm512_cvtepi16_epi32(_mm512_castsi512_si256(v))));
    store(sums + 16,
          _mm512_add_epi32(load(sums + 16), _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(v, 1))));
  }
};

}  // namespace

void max_of_rows_avx512vnni(const CodeRows& x, uint8_t* y) { max_of_rows<Codes64>(x, y); }
void sum_of_rows_avx512vnni(const CodeRows& x, int32_t* sums) { sum_of_rows<Codes64>(x, sums); }

}  // namespace pith::kernels
