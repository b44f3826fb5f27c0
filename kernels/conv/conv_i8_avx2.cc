// The i8 tile with AVX2 alone: 4 pixels by 16 channels. |x| times w with the sign of x, pairs of products in 16 bits
// (|sum| <= 2 * 128 * 127 = 32512, since weights stay within +-127), then pairs of pairs.
#include "kernels/conv/conv_i8_ymm.h"

namespace pith::kernels {
namespace {

struct DotSign {
  struct Operand {
    __m256i code, magnitude;
  };
  static Operand broadcast(const uint8_t* p) {
    int32_t v;
    __builtin_memcpy(&v, p, 4);
    const __m256i code = _mm256_set1_epi32(v);
    return {code, _mm256_abs_epi8(code)};
  }
  static void add(__m256i& acc, const Operand& x, __m256i w) {
    const __m256i pairs = _mm256_maddubs_epi16(x.magnitude, _mm256_sign_epi8(w, x.code));
    acc = _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

}  // namespace

void conv_i8_avx2(const ConvI8Tile& t, size_t rows) {
  static constexpr void (*kTiles[])(const ConvI8Tile&) = {
      tile_rows_ymm<DotSign, 1>, tile_rows_ymm<DotSign, 2>, tile_rows_ymm<DotSign, 3>,
      tile_rows_ymm<DotSign, 4>};
  kTiles[rows - 1](t);
}

void copy_codes_avx2(uint8_t* to, const uint8_t* from, size_t n, uint8_t mask) {
  copy_codes_ymm(to, from, n, mask);
}

}  // namespace pith::kernels
