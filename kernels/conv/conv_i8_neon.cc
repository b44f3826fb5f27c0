// The i8 tile on ARMv7 and ARMv8.0: products in 16 bits (|w x| <= 127 * 128), added in pairs to 32-bit sums of two
// channels each; the two sums of a channel meet at the end. 2 pixels by 8 channels fill 8 registers.
#include "kernels/conv/conv_i8_neon_tiles.h"

namespace pith::kernels {
namespace {

inline int32x4_t join(int32x4_t a, int32x4_t b) {
  return vcombine_s32(vpadd_s32(vget_low_s32(a), vget_high_s32(a)),
                      vpadd_s32(vget_low_s32(b), vget_high_s32(b)));
}

struct DotPairs {
  struct Sums {
    int32x4_t a, b, c, d;
  };
  static void add(Sums& s, const uint8_t* x, int8x16_t w0, int8x16_t w1) {
    const int8x8_t four = twice(x);
    s.a = vpadalq_s16(s.a, vmull_s8(vget_low_s8(w0), four));
    s.b = vpadalq_s16(s.b, vmull_s8(vget_high_s8(w0), four));
    s.c = vpadalq_s16(s.c, vmull_s8(vget_low_s8(w1), four));
    s.d = vpadalq_s16(s.d, vmull_s8(vget_high_s8(w1), four));
  }
  static int32x4_t first(const Sums& s) { return join(s.a, s.b); }
  static int32x4_t second(const Sums& s) { return join(s.c, s.d); }
};

}  // namespace

void conv_i8_neon(const ConvI8Tile& t, size_t rows) {
  static constexpr void (*kTiles[])(const ConvI8Tile&) = {tile_rows_neon<DotPairs, 1>,
                                                          tile_rows_neon<DotPairs, 2>};
  kTiles[rows - 1](t);
}

void copy_codes_neon(uint8_t* to, const uint8_t* from, size_t n, uint8_t mask) {
  copy_codes_neon_any(to, from, n, mask);
}

}  // namespace pith::kernels
