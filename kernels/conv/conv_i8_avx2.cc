// The i8 tile with AVX2 alone: 6 pixels by 8 channels of 16-bit products (kernels/gemm/word_tile.h); fewer pixels by more channels.
#include "kernels/conv/conv_i8_tile.h"
#include "kernels/gemm/word_tile.h"

namespace pith::kernels {
namespace {

// Bytes of a panel that stay in the first-level cache from tile to tile; how far ahead a larger one is prefetched.
constexpr size_t kNear = 12 << 10, kAhead = 2048;

// What turns sums, in the order of WordTile::sum, into codes; see kernels/base/requant.h.
struct Finish {
  __m256i start, zero, lo, hi, flip;
  __m256 scale;
  Finish(const ConvI8Tile& t, size_t c)
      : start(swap_middle(load(t.start + c))),
        zero(_mm256_set1_epi16(static_cast<int16_t>(t.y_zero))),
        lo(_mm256_set1_epi8(static_cast<char>(t.y_lo))),
        hi(_mm256_set1_epi8(static_cast<char>(t.y_hi))),
        flip(_mm256_set1_epi8(static_cast<char>(t.y_flip))),
        scale(_mm256_castsi256_ps(swap_middle(load(t.scale + c)))) {}

  static __m256i load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
  __m256i quantize(__m256i sum) const {
    const __m256 steps = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_add_epi32(sum, start)), scale);
    return _mm256_cvtps_epi32(steps);
  }
  // Two rows: words | c0 c1 c4 c5 of a | of b || c2 c3 c6 c7 of a | of b |.
  __m256i words(__m256i a, __m256i b) const {
    return _mm256_adds_epi16(_mm256_packs_epi32(quantize(a), quantize(b)), zero);
  }
  // Four rows; pairs of channels lie in turns in the two halves.
  void store(const ConvI8Tile& t, size_t row, size_t rows, size_t c, __m256i ab, __m256i cd) const {
    const __m256i bytes = _mm256_packs_epi16(ab, cd);
    const __m256i held = _mm256_xor_si256(_mm256_min_epi8(_mm256_max_epi8(bytes, lo), hi), flip);
    const __m128i even = _mm256_castsi256_si128(held), odd = _mm256_extracti128_si256(held, 1);
    alignas(32) int8_t out[32];
    const __m128i first = _mm_unpacklo_epi16(even, odd), second = _mm_unpackhi_epi16(even, odd);
    int8_t* y = t.y + row * t.y_stride + c;
    if (t.columns - c >= 8) {
      store8(y, first);
      if (rows > 1) store8(y + t.y_stride, _mm_unpackhi_epi64(first, first));
      if (rows > 2) store8(y + 2 * t.y_stride, second);
      if (rows > 3) store8(y + 3 * t.y_stride, _mm_unpackhi_epi64(second, second));
      return;
    }
    _mm_store_si128(static_cast<__m128i*>(static_cast<void*>(out)), first);
    _mm_store_si128(static_cast<__m128i*>(static_cast<void*>(out + 16)), second);
    for (size_t r = 0; r < rows; ++r)
      for (size_t i = 0; i < t.columns - c; ++i) y[r * t.y_stride + i] = out[8 * r + i];
  }
  static void store8(int8_t* y, __m128i codes) {
    _mm_storel_epi64(static_cast<__m128i*>(static_cast<void*>(y)), codes);
  }
};

template <size_t R, size_t U>
struct ConvWords {
  WordTile<R, U> tile;
  const uint8_t* rows[R];

  template <size_t... r>
  PITH_INLINE void point(const ConvI8Tile& t, Indices<r...>) {
    ((rows[r] = t.rows[r]), ...);
  }
  // Rows r to r + 3 of vector u; where there are fewer the last one stands in.
  template <size_t u, size_t r>
  PITH_INLINE void four(const ConvI8Tile& t, const Finish& f, size_t c) const {
    if constexpr (r < R) {
      constexpr size_t b = r + 1 < R ? r + 1 : R - 1, d = r + 2 < R ? r + 2 : R - 1,
                       e = r + 3 < R ? r + 3 : R - 1;
      f.store(t, r, R - r < 4 ? R - r : 4, c, f.words(tile.template sum<r, u>(), tile.template sum<b, u>()),
              f.words(tile.template sum<d, u>(), tile.template sum<e, u>()));
    }
  }
  template <size_t... u>
  PITH_INLINE void finish(const ConvI8Tile& t, size_t c, Indices<u...>) const {
    (finish_vector<u>(t, c + 8 * u), ...);
  }
  template <size_t u>
  PITH_INLINE void finish_vector(const ConvI8Tile& t, size_t c) const {
    if (c >= t.columns) return;
    const Finish f(t, c);
    four<u, 0>(t, f, c);
    four<u, 4>(t, f, c);
  }
  PITH_INLINE void run(const ConvI8Tile& t, size_t c) {
    tile.clear();
    point(t, IndicesTo<R>{});
    const size_t w_step = 4 * t.width, quads = t.run_bytes / 4;
    const int8_t* w = t.w + 4 * c;
    const size_t ahead = t.run_count * quads * w_step <= kNear ? 0 : kAhead;
    for (size_t run = 0; run < t.run_count; ++run, w += quads * w_step)
      tile.add(w, w_step, quads, rows, t.runs[run], ahead);
    finish(t, c, IndicesTo<U>{});
  }
};

template <size_t R, size_t U>
void tile_rows(const ConvI8Tile& t) {
  size_t c = 0;
  for (; c < t.columns && c + 8 * U <= t.width; c += 8 * U) {
    ConvWords<R, U> words;
    words.run(t, c);
  }
  if constexpr (U > 1)
    for (; c < t.columns; c += 8) {
      ConvWords<R, 1> words;
      words.run(t, c);
    }
}

}  // namespace

void conv_i8_avx2(const ConvI8Tile& t, size_t rows) {
  static constexpr void (*kTiles[])(const ConvI8Tile&) = {tile_rows<1, 4>, tile_rows<2, 2>, tile_rows<3, 1>,
                                                          tile_rows<4, 1>, tile_rows<5, 1>, tile_rows<6, 1>};
  kTiles[rows - 1](t);
}

void copy_codes_avx2(uint8_t* to, const uint8_t* from, size_t n, uint8_t mask) {
  widen_codes(to, from, n, mask);
}

}  // namespace pith::kernels
