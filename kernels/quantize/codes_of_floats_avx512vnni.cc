// Quantizing with AVX-512: the same IEEE operations as the reference, 16 floats at a time.
#include <immintrin.h>

#include "kernels/quantize/codes_of_floats.h"

namespace pith::kernels {

void codes_of_floats_avx512vnni(const float* x, uint8_t* y, size_t n, const FloatGrid& g) {
  const __m512 scale = _mm512_set1_ps(g.scale), low = _mm512_set1_ps(static_cast<float>(g.lo - g.zero)),
               high = _mm512_set1_ps(static_cast<float>(g.lo + 255 - g.zero));
  const __m512i zero = _mm512_set1_epi32(g.zero);
  for (size_t i = 0; i < n; i += 16) {
    const __mmask16 m = n - i >= 16 ? __mmask16{0xffff} : static_cast<__mmask16>((1u << (n - i)) - 1);
    const __m512 steps = _mm512_div_ps(_mm512_maskz_loadu_ps(m, x + i), scale);
    // max returns its second operand when the first is NaN, as the reference does.
    const __m512 held = _mm512_min_ps(_mm512_max_ps(steps, low), high);
    _mm512_mask_cvtepi32_storeu_epi8(y + i, m, _mm512_add_epi32(_mm512_cvtps_epi32(held), zero));
  }
}

}  // namespace pith::kernels
