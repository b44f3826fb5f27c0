// Table lookup with AVX-512 VBMI: two registers hold 128 entries, bit 7 of the code chooses the pair.
#include <immintrin.h>

#include "kernels/lookup/code_table.h"

#define PITH_VBMI __attribute__((target("avx512vbmi")))

namespace pith::kernels {
namespace {

PITH_VBMI inline __m512i look_up(const __m512i (&t)[4], __m512i x) {
  const __m512i low = _mm512_permutex2var_epi8(t[0], x, t[1]);
  const __m512i high = _mm512_permutex2var_epi8(t[2], x, t[3]);
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), low, high);
}

}  // namespace

PITH_VBMI void code_table_avx512vnni(const uint8_t* x, uint8_t* y, size_t n, const uint8_t* table) {
  __m512i t[4];
  for (size_t i = 0; i < 4; ++i) t[i] = _mm512_loadu_si512(table + 64 * i);
  size_t i = 0;
  for (; i + 64 <= n; i += 64) _mm512_storeu_si512(y + i, look_up(t, _mm512_loadu_si512(x + i)));
  if (i < n) {
    const __mmask64 rest = (uint64_t{1} << (n - i)) - 1;
    _mm512_mask_storeu_epi8(y + i, rest, look_up(t, _mm512_maskz_loadu_epi8(rest, x + i)));
  }
}

}  // namespace pith::kernels
