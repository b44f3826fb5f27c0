// The i8 tile with smmla: 2 pixels x 2 channels x 8 k in one instruction. Two rows of a panel, k 0..3 and k 4..7 of four channels
// each, zip into k 0..7 of two channels; 8 pixels by 8 channels are 16 registers of 2 x 2 sums. A run of an odd number of fours
// ends with zeros for k 4..7.
#include "kernels/conv/conv_i8_neon_tiles.h"

namespace pith::kernels {
namespace {

// Weights of 8 channels for 8 k.
struct Eights {
  int8x16_t w01, w23, w45, w67;
};
inline int8x16_t zip_low(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s32(vzip1q_s32(vreinterpretq_s32_s8(a), vreinterpretq_s32_s8(b)));
}
inline int8x16_t zip_high(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s32(vzip2q_s32(vreinterpretq_s32_s8(a), vreinterpretq_s32_s8(b)));
}
inline Eights eights_of(const int8_t* first, const int8_t* second) {
  const int8x16_t zero = vdupq_n_s8(0);
  const int8x16_t a = vld1q_s8(first), b = vld1q_s8(first + 16);
  const int8x16_t c = second == nullptr ? zero : vld1q_s8(second);
  const int8x16_t d = second == nullptr ? zero : vld1q_s8(second + 16);
  return {zip_low(a, c), zip_high(a, c), zip_low(b, d), zip_high(b, d)};
}

inline int8x16_t both(const uint8_t* p, const uint8_t* q) {
  return vreinterpretq_s8_u8(vcombine_u8(vld1_u8(p), vld1_u8(q)));
}
inline int8x16_t both_fours(const uint8_t* p, const uint8_t* q) {
  uint32_t x, y;
  __builtin_memcpy(&x, p, 4);
  __builtin_memcpy(&y, q, 4);
  return vreinterpretq_s8_u64(vcombine_u64(vcreate_u64(x), vcreate_u64(y)));
}

// Sums of two pixels: [pixel 0: 2 channels, pixel 1: 2 channels] four times.
struct PairSums {
  int32x4_t s01{}, s23{}, s45{}, s67{};
  void add(int8x16_t x, const Eights& w) {
    s01 = vmmlaq_s32(s01, x, w.w01), s23 = vmmlaq_s32(s23, x, w.w23);
    s45 = vmmlaq_s32(s45, x, w.w45), s67 = vmmlaq_s32(s67, x, w.w67);
  }
};
inline int32x4_t low_pair(int32x4_t a, int32x4_t b) { return vcombine_s32(vget_low_s32(a), vget_low_s32(b)); }
inline int32x4_t high_pair(int32x4_t a, int32x4_t b) {
  return vcombine_s32(vget_high_s32(a), vget_high_s32(b));
}

#define PITH_PAIRS(F) F(0) F(1) F(2) F(3)

// Channels [c, c + 8) of R pixels; the last pair of an odd R is one pixel twice.
template <int R>
void tile_pairs(const ConvI8Tile& t, size_t c) {
  constexpr int kPairs = (R + 1) / 2;
#define DECLARE(i)                                                        \
  [[maybe_unused]] const uint8_t *p##i = t.rows[2 * i < R ? 2 * i : 0],   \
                                 *q##i = t.rows[2 * i + 1 < R ? 2 * i + 1 \
                                                : 2 * i < R   ? 2 * i     \
                                                              : 0];         \
  [[maybe_unused]] PairSums s##i;
  PITH_PAIRS(DECLARE)
  const int8_t* w = t.w + 4 * c;
  const size_t w_step = t.width * 4;
  for (size_t run = 0; run < t.run_count; ++run) {
    size_t at = t.runs[run];
    const size_t end = at + t.run_bytes;
    for (; at + 8 <= end; at += 8, w += 2 * w_step) {
      const Eights e = eights_of(w, w + w_step);
#define EIGHT(i) \
  if constexpr (kPairs > i) s##i.add(both(p##i + at, q##i + at), e);
      PITH_PAIRS(EIGHT)
    }
    if (at == end) continue;
    const Eights e = eights_of(w, nullptr);
    w += w_step;
#define FOUR(i) \
  if constexpr (kPairs > i) s##i.add(both_fours(p##i + at, q##i + at), e);
    PITH_PAIRS(FOUR)
  }
  const FinishNeon f = finish_of(t, c);
  const size_t left = t.columns - c, columns = left < 8 ? left : 8;
  int8_t* y = t.y + c;
#define STORE(i)                                                                                             \
  if constexpr (R > 2 * i)                                                                                   \
    store_codes(y + 2 * i * t.y_stride, f.codes(low_pair(s##i.s01, s##i.s23), low_pair(s##i.s45, s##i.s67)), \
                columns);                                                                                    \
  if constexpr (R > 2 * i + 1)                                                                               \
    store_codes(y + (2 * i + 1) * t.y_stride,                                                                \
                f.codes(high_pair(s##i.s01, s##i.s23), high_pair(s##i.s45, s##i.s67)), columns);
  PITH_PAIRS(STORE)
#undef DECLARE
#undef EIGHT
#undef FOUR
#undef STORE
}

template <int R>
void tile_rows_i8mm(const ConvI8Tile& t) {
  for (size_t c = 0; c < t.columns; c += 8) tile_pairs<R>(t, c);
}

}  // namespace

void conv_i8_i8mm(const ConvI8Tile& t, size_t rows) {
  static constexpr void (*kTiles[])(const ConvI8Tile&) = {
      tile_rows_i8mm<1>, tile_rows_i8mm<2>, tile_rows_i8mm<3>, tile_rows_i8mm<4>,
      tile_rows_i8mm<5>, tile_rows_i8mm<6>, tile_rows_i8mm<7>, tile_rows_i8mm<8>};
  kTiles[rows - 1](t);
}

void copy_codes_i8mm(uint8_t* to, const uint8_t* from, size_t n, uint8_t mask) {
  copy_codes_neon_any(to, from, n, mask);
}

}  // namespace pith::kernels
