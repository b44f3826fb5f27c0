// The i8 tile with sdot: 8 pixels by 8 channels in 16 registers of 4 sums.
#include "kernels/conv/conv_i8_neon_tiles.h"

namespace pith::kernels {
namespace {

struct DotSigned {
  struct Sums {
    int32x4_t a, b;
  };
  static void add(Sums& s, const uint8_t* x, int8x16_t w0, int8x16_t w1) {
    const int8x8_t half = twice(x);
    const int8x16_t four = vcombine_s8(half, half);
    s.a = vdotq_s32(s.a, w0, four), s.b = vdotq_s32(s.b, w1, four);
  }
  static int32x4_t first(const Sums& s) { return s.a; }
  static int32x4_t second(const Sums& s) { return s.b; }
};

}  // namespace

void conv_i8_neondot(const ConvI8Tile& t, size_t rows) {
  static constexpr void (*kTiles[])(const ConvI8Tile&) = {
      tile_rows_neon<DotSigned, 1>, tile_rows_neon<DotSigned, 2>, tile_rows_neon<DotSigned, 3>,
      tile_rows_neon<DotSigned, 4>, tile_rows_neon<DotSigned, 5>, tile_rows_neon<DotSigned, 6>,
      tile_rows_neon<DotSigned, 7>, tile_rows_neon<DotSigned, 8>};
  kTiles[rows - 1](t);
}

void copy_codes_neondot(uint8_t* to, const uint8_t* from, size_t n, uint8_t mask) {
  copy_codes_neon_any(to, from, n, mask);
}

}  // namespace pith::kernels
