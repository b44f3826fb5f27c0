// Products with I8C weights by 16-bit products (word_tile.h); see panel_gemm.h for what is computed.
// Included by ISA files only. V: the vectors of ymm_vectors.h; activations in form grid_u8, whose bytes are widened by zeros.
//
// A block of weights (256 k of a panel, 8 KB) stays in the first-level cache while up to 30 rows pass it, six at a time: their
// codes are widened to the stack (3 KB), and their sums wait there for the next block (4 KB).
#pragma once
#include "kernels/gemm/panel_i8c_tiles.h"
#include "kernels/gemm/word_tile.h"

namespace pith::kernels {
namespace {

constexpr size_t kWordRows = 6, kWordDepth = 256, kWordBlock = 5 * kWordRows;
constexpr size_t kWordAhead = 2048;  // bytes that weights are prefetched ahead

template <class V>
struct WordBlock {
  const PanelGemmArgs& a;
  const PanelShape& shape;
  size_t panel;
  alignas(64) int16_t codes[kWordRows][kWordDepth];
  alignas(64) int32_t sums[kWordBlock][kPanelWidth];

  WordBlock(const PanelGemmArgs& args, const PanelShape& s, size_t p) : a(args), shape(s), panel(p) {}

  const uint8_t* weights() const { return a.w.bytes + panel * a.w.full.bytes; }

  template <size_t... r>
  void run(Range rows, Indices<r...> all) {
    const size_t depth = 4 * a.w.code_rows;
    for (size_t k = 0; k < depth; k += kWordDepth) tiles(rows, k, depth - k, all);
    for (size_t row = rows.begin; row < rows.end; ++row)
      for (size_t c = 0; c < shape.width; c += 8) {
        const Strip<V, Layout::i8c> s{a, shape, weights(), c, panel * kPanelWidth + c};
        CodeTile<V, 1, 1>::finish_one(s, row, 0, swap_middle(V::load_i(sums[row - rows.begin] + c)));
      }
  }
  // Weights from k on with all rows.
  template <size_t... r>
  void tiles(Range rows, size_t k, size_t depth, Indices<r...>) {
    using Fn = void (WordBlock<V>::*)(size_t, size_t, size_t, size_t);
    static constexpr Fn kTiles[] = {&WordBlock<V>::template tile < r + 1, r == 0 ? 4 : r == 1 ? 2 : 1 > ...};
    size_t left = (rows.end - rows.begin + kWordRows - 1) / kWordRows;
    depth = depth < kWordDepth ? depth : kWordDepth;
    for (size_t row = rows.begin; row < rows.end; --left) {  // dealt evenly
      const size_t count = (rows.end - row + left - 1) / left;
      widen(row, count, k, depth);
      (this->*kTiles[count - 1])(row - rows.begin, k, depth, rows.end - rows.begin);
      row += count;
    }
  }
  void widen(size_t row, size_t count, size_t k, size_t depth) {
    const __m256i spread = word_spread();
    for (size_t g = 0; g < depth; g += kRowGroup) {
      const int8_t* from = a.x.codes + ((k + g) / kRowGroup * a.x.m + row) * kRowGroup;
      for (size_t r = 0; r < count; ++r, from += kRowGroup) {
        spread_16(codes[r] + g, from, spread);
        spread_16(codes[r] + g + 16, from + 16, spread);
      }
    }
  }
  PITH_INLINE static void spread_16(int16_t* to, const void* from, __m256i spread) {
    _mm256_store_si256(static_cast<__m256i*>(static_cast<void*>(to)),
                       _mm256_shuffle_epi8(sixteen_twice(from), spread));
  }
  // R rows whose sums begin at row `to`, U vectors of channels at a time where the panel has as many.
  template <size_t R, size_t U>
  void tile(size_t to, size_t k, size_t depth, size_t rows) {
    const auto* w = reinterpret_cast<const int8_t*>(weights()) + k * shape.width;
    size_t c = 0;
    for (; c + 8 * U <= shape.width; c += 8 * U)
      strip<R, U>(w + 4 * c, sums[to] + c, depth / 4, k == 0, rows, IndicesTo<R>{}, IndicesTo<R * U>{});
    if constexpr (U > 1)
      for (; c < shape.width; c += 8)
        strip<R, 1>(w + 4 * c, sums[to] + c, depth / 4, k == 0, rows, IndicesTo<R>{}, IndicesTo<R>{});
  }
  template <size_t R, size_t U, size_t... r, size_t... j>
  void strip(const int8_t* w, int32_t* to, size_t quads, bool first, size_t rows, Indices<r...>,
             Indices<j...>) {
    WordTile<R, U> tile;
    tile.clear();
    const uint8_t* const x[R] = {static_cast<const uint8_t*>(static_cast<const void*>(codes[r]))...};
    tile.add(w, 4 * shape.width, quads, x, 0, rows == 1 ? kPrefetchOneRow : kWordAhead);
    (keep(to + j / U * kPanelWidth + j % U * 8, tile.template sum<j / U, j % U>(), first), ...);
  }
  PITH_INLINE static void keep(int32_t* to, __m256i sum, bool first) {
    V::store_i(to, first ? sum : V::add_i(V::load_i(to), sum));
  }
};

template <class V>
void words_gemm(const PanelGemmArgs& a, Range panels, Range rows) {
  for (size_t p = panels.begin; p < panels.end; ++p) {
    WordBlock<V> block(a, p + 1 == a.w.panels ? a.w.last : a.w.full, p);
    for (size_t row = rows.begin; row < rows.end; row += kWordBlock)
      block.run({row, row + kWordBlock < rows.end ? row + kWordBlock : rows.end}, IndicesTo<kWordRows>{});
  }
}

}  // namespace
}  // namespace pith::kernels
