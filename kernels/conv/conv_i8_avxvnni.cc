// The i8 tile with AVX-VNNI: 6 pixels by 16 channels.
#include "kernels/conv/conv_i8_ymm.h"

namespace pith::kernels {
namespace {

struct DotVnni {
  using Operand = __m256i;
  static Operand broadcast(const uint8_t* p) {
    int32_t v;
    __builtin_memcpy(&v, p, 4);
    return _mm256_set1_epi32(v);
  }
  // Inline assembly, because GCC 12 moves accumulators through the stack around the intrinsic.
  static void add(__m256i& acc, Operand x, __m256i w) {
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(x), "x"(w));
  }
};

}  // namespace

void conv_i8_avxvnni(const ConvI8Tile& t, size_t rows) {
  static constexpr void (*kTiles[])(const ConvI8Tile&) = {
      tile_rows_ymm<DotVnni, 1>, tile_rows_ymm<DotVnni, 2>, tile_rows_ymm<DotVnni, 3>,
      tile_rows_ymm<DotVnni, 4>, tile_rows_ymm<DotVnni, 5>, tile_rows_ymm<DotVnni, 6>};
  kTiles[rows - 1](t);
}

void copy_codes_avxvnni(uint8_t* to, const uint8_t* from, size_t n, uint8_t mask) {
  copy_codes_ymm(to, from, n, mask);
}

}  // namespace pith::kernels
