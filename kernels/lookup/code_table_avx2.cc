// Table lookup with AVX2: pshufb looks up 16 entries and gives 0 where bit 7 of the index is set.
//
// The index of row r is code - 16 r, saturating at -128: codes below the row stay negative and give 0, codes above it would
// look up as well. So rows hold differences, row r xor row r - 1, and all rows up to a code's own add up to its entry.
// Codes from 128 on take the same walk with their top bit cleared, through rows 8 to 15.
#include <immintrin.h>

#include "kernels/lookup/code_table.h"

namespace pith::kernels {
namespace {

struct Rows {
  __m256i row[16];
};

Rows rows_of(const uint8_t* table) {
  Rows r;
  __m128i last = _mm_setzero_si128();
  for (int i = 0; i < 16; ++i) {
    if (i == 8) last = _mm_setzero_si128();
    const __m128i here =
        _mm_loadu_si128(static_cast<const __m128i*>(static_cast<const void*>(table + 16 * i)));
    r.row[i] = _mm256_broadcastsi128_si256(_mm_xor_si128(here, last));
    last = here;
  }
  return r;
}

inline __m256i look_up(const Rows& r, __m256i x) {
  const __m256i step = _mm256_set1_epi8(16);
  __m256i low = x, high = _mm256_xor_si256(x, _mm256_set1_epi8(-128));
  __m256i y = _mm256_setzero_si256(), z = y;
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    y = _mm256_xor_si256(y, _mm256_shuffle_epi8(r.row[i], low));
    z = _mm256_xor_si256(z, _mm256_shuffle_epi8(r.row[8 + i], high));
    low = _mm256_subs_epi8(low, step), high = _mm256_subs_epi8(high, step);
  }
  return _mm256_xor_si256(y, z);
}

}  // namespace

void code_table_avx2(const uint8_t* x, uint8_t* y, size_t n, const uint8_t* table) {
  size_t i = 0;
  if (n >= 128) {  // less is not worth the rows
    const Rows rows = rows_of(table);
    for (; i + 32 <= n; i += 32) {
      const __m256i codes = _mm256_loadu_si256(static_cast<const __m256i*>(static_cast<const void*>(x + i)));
      _mm256_storeu_si256(static_cast<__m256i*>(static_cast<void*>(y + i)), look_up(rows, codes));
    }
  }
  for (; i < n; ++i) y[i] = table[x[i]];
}

}  // namespace pith::kernels
