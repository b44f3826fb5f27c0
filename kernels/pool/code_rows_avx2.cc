// Largest and sum of rows of codes with AVX2.
#include <immintrin.h>

#include "kernels/pool/code_rows_vectors.h"

namespace pith::kernels {
namespace {

struct Codes32 {
  using I = __m256i;
  static constexpr size_t kBytes = 32, kWords = 16;
  static I load(const void* p) { return _mm256_loadu_si256(static_cast<const I*>(p)); }
  static void store(void* p, I v) { _mm256_storeu_si256(static_cast<I*>(p), v); }
  static I max_signed(I a, I b) { return _mm256_max_epi8(a, b); }
  static I max_unsigned(I a, I b) { return _mm256_max_epu8(a, b); }
  static I add16(I a, I b) { return _mm256_add_epi16(a, b); }
  static I words(const void* p, uint8_t flip) {
    const __m128i x = _mm_loadu_si128(static_cast<const __m128i*>(p));
    return _mm256_cvtepi8_epi16(_mm_xor_si128(x, _mm_set1_epi8(static_cast<char>(flip))));
  }
  static void add_to(int32_t* sums, I v) {
    store(sums, _mm256_add_epi32(load(sums), _mm256_cvtepi16_epi32(_mm256_castsi256_si128(v))));
    store(sums + 8, _mm256_add_epi32(load(sums + 8), _mm256_cvtepi16_epi32(_mm256_extracti128_si256(v, 1))));
  }
};

}  // namespace

void max_of_rows_avx2(const CodeRows& x, uint8_t* y) { max_of_rows<Codes32>(x, y); }
void sum_of_rows_avx2(const CodeRows& x, int32_t* sums) { sum_of_rows<Codes32>(x, sums); }

}  // namespace pith::kernels
