// 10 pixels by 32 channels in 20 registers of 16 sums: a 4-byte group of each pixel is broadcast against two
// vectors of weights. Panels of 16 or fewer channels use one vector and 8 pixels. Taller tiles need more
// pointers than there are registers for them.
//
// Accumulators have names, not indices: GCC 12 spills arrays of them. Output order: packing four vectors of
// sums interleaves 4-byte pieces, which one vpermd puts right.
#include <immintrin.h>
// GCC 12 takes its own _mm512_undefined_*() for a use of an uninitialized variable.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include "kernels/conv/conv_i8_tile.h"

// size: exempt, because one macro row per register keeps the loop in registers

#define PITH_TILE_ROWS(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9)

namespace pith::kernels {
namespace {

// Inline assembly, because GCC 12 moves every accumulator through the stack around the intrinsic.
inline void dot(__m512i& acc, __m512i x, __m512i w) {
  asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
}

inline __m512i broadcast4(const uint8_t* p) {
  int32_t v;
  __builtin_memcpy(&v, p, 4);
  return _mm512_set1_epi32(v);
}

inline __mmask16 lanes(size_t n) { return static_cast<__mmask16>(n >= 16 ? 0xffffu : (1u << n) - 1u); }

struct Finish {
  __m512 scale0, scale1;
  __m512i zero, lo, hi, flip;
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  __m512i quantize(__m512i acc, __m512 scale) const {
    return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(acc), scale));
  }
  // Dwords of codes, piece i of the four in lane i.
  __m512i pack(__m512i a, __m512i b, __m512i c, __m512i d) const {
    const __m512i ab = _mm512_adds_epi16(_mm512_packs_epi32(a, b), zero);
    const __m512i cd = _mm512_adds_epi16(_mm512_packs_epi32(c, d), zero);
    const __m512i codes = _mm512_min_epi8(_mm512_max_epi8(_mm512_packs_epi16(ab, cd), lo), hi);
    return _mm512_permutexvar_epi32(order, _mm512_xor_si512(codes, flip));
  }
};

// Two pixels of up to 32 channels.
template <bool kBoth>
inline void store_wide(const Finish& f, const ConvI8Tile& t, size_t row, __mmask32 mask, __m512i a0,
                       __m512i a1, __m512i b0, __m512i b1) {
  const __m512i codes = f.pack(f.quantize(a0, f.scale0), f.quantize(a1, f.scale1), f.quantize(b0, f.scale0),
                               f.quantize(b1, f.scale1));
  int8_t* y = t.y + row * t.y_stride;
  _mm256_mask_storeu_epi8(y, mask, _mm512_castsi512_si256(codes));
  if constexpr (kBoth) _mm256_mask_storeu_epi8(y + t.y_stride, mask, _mm512_extracti64x4_epi64(codes, 1));
}

// Four pixels of up to 16 channels.
template <int kCount>
inline void store_narrow(const Finish& f, const ConvI8Tile& t, size_t row, __mmask16 mask, __m512i a,
                         __m512i b, __m512i c, __m512i d) {
  const __m512i codes = f.pack(f.quantize(a, f.scale0), f.quantize(b, f.scale0), f.quantize(c, f.scale0),
                               f.quantize(d, f.scale0));
  int8_t* y = t.y + row * t.y_stride;
  _mm_mask_storeu_epi8(y, mask, _mm512_castsi512_si128(codes));
  if constexpr (kCount > 1) _mm_mask_storeu_epi8(y + t.y_stride, mask, _mm512_extracti32x4_epi32(codes, 1));
  if constexpr (kCount > 2)
    _mm_mask_storeu_epi8(y + 2 * t.y_stride, mask, _mm512_extracti32x4_epi32(codes, 2));
  if constexpr (kCount > 3)
    _mm_mask_storeu_epi8(y + 3 * t.y_stride, mask, _mm512_extracti32x4_epi32(codes, 3));
}

inline Finish finish_of(const ConvI8Tile& t, __mmask16 m0, __mmask16 m1) {
  Finish f;
  f.scale0 = _mm512_maskz_loadu_ps(m0, t.scale);
  f.scale1 = _mm512_maskz_loadu_ps(m1, t.scale + 16);
  f.zero = _mm512_set1_epi16(static_cast<int16_t>(t.y_zero));
  f.lo = _mm512_set1_epi8(static_cast<int8_t>(t.y_lo));
  f.hi = _mm512_set1_epi8(static_cast<int8_t>(t.y_hi));
  f.flip = _mm512_set1_epi8(static_cast<char>(t.y_flip));
  return f;
}

// R pixels by V * 16 channels.
template <int R, int V>
void tile(const ConvI8Tile& t) {
  const __mmask16 m0 = lanes(t.width), m1 = V == 2 ? lanes(t.width - 16) : __mmask16{0};
  const __m512i s0 = _mm512_maskz_loadu_epi32(m0, t.start);
  const __m512i s1 = _mm512_maskz_loadu_epi32(m1, t.start + 16);
#define DECLARE(r)                                              \
  [[maybe_unused]] const uint8_t* p##r = t.rows[R > r ? r : 0]; \
  [[maybe_unused]] __m512i a##r = s0, b##r = s1;
  PITH_TILE_ROWS(DECLARE)
  const int8_t* w = t.w;
  const size_t w_step = t.width * 4;
  for (size_t run = 0; run < t.run_count; ++run) {
    size_t at = t.runs[run];
    for (const size_t end = at + t.run_bytes; at < end; at += 4) {
      const __m512i w0 = _mm512_maskz_loadu_epi32(m0, w);
      [[maybe_unused]] __m512i w1 = w0;
      if constexpr (V == 2) w1 = _mm512_maskz_loadu_epi32(m1, w + 64);
      w += w_step;
#define MULTIPLY(r)                          \
  if constexpr (R > r) {                     \
    const __m512i x = broadcast4(p##r + at); \
    dot(a##r, x, w0);                        \
    if constexpr (V == 2) dot(b##r, x, w1);  \
  }
      PITH_TILE_ROWS(MULTIPLY)
    }
  }
  const Finish f = finish_of(t, m0, m1);
  if constexpr (V == 2) {
    const auto mask = static_cast<__mmask32>(t.columns >= 32 ? ~0u : (1u << t.columns) - 1u);
#define STORE2(r, q) \
  if constexpr (R > r) store_wide<(R > q)>(f, t, r, mask, a##r, b##r, a##q, b##q);
    STORE2(0, 1) STORE2(2, 3) STORE2(4, 5) STORE2(6, 7) STORE2(8, 9)
  } else {
    const __mmask16 mask = lanes(t.columns);
#define STORE4(r, p, q, s) \
  if constexpr (R > r) store_narrow<(R - r < 4 ? R - r : 4)>(f, t, r, mask, a##r, a##p, a##q, a##s);
    STORE4(0, 1, 2, 3) STORE4(4, 5, 6, 7)
  }
#undef DECLARE
#undef MULTIPLY
#undef STORE2
#undef STORE4
}

}  // namespace

void conv_i8_avx512vnni(const ConvI8Tile& t, size_t rows) {
  static constexpr void (*kNarrow[])(const ConvI8Tile&) = {tile<1, 1>, tile<2, 1>, tile<3, 1>, tile<4, 1>,
                                                           tile<5, 1>, tile<6, 1>, tile<7, 1>, tile<8, 1>};
  static constexpr void (*kWide[])(const ConvI8Tile&) = {tile<1, 2>, tile<2, 2>, tile<3, 2>, tile<4, 2>,
                                                         tile<5, 2>, tile<6, 2>, tile<7, 2>, tile<8, 2>,
                                                         tile<9, 2>, tile<10, 2>};
  (t.width > 16 ? kWide : kNarrow)[rows - 1](t);
}

void copy_codes_avx512vnni(uint8_t* to, const uint8_t* from, size_t n, uint8_t flip_mask) {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(flip_mask));
  for (; n >= 64; n -= 64, to += 64, from += 64)
    _mm512_storeu_si512(to, _mm512_xor_si512(_mm512_loadu_si512(from), flip));
  if (n == 0) return;
  const __mmask64 mask = (uint64_t{1} << n) - 1;
  _mm512_mask_storeu_epi8(to, mask, _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, from), flip));
}

}  // namespace pith::kernels
