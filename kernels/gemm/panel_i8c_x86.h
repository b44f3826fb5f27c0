// Products with I8C weights on x86, written once over an ISA's vectors V (see panel_gemm.h for what is computed).
// Included by ISA files only, like panel4_x86.h.
//
// V gives, besides plain vectors:
//   broadcast(4 codes)      to all lanes
//   dot8(acc, w, a)         acc += four products per channel; w s8; a as the form of the activations stores them
//   start8(zero, ksum)      what removes the row's zero point and the form's offset: -(zero + offset) * ksum
//
// A tile of R rows x U vectors of channels keeps its sums in registers over all of K. Rows are dealt evenly to the tiles.
#pragma once
#include "kernels/gemm/panel4_x86.h"

namespace pith::kernels {
namespace {

constexpr size_t kPrefetchRows = 1024, kPrefetchOneRow = 18432;  // bytes ahead, measured on Zen 4

template <class V, size_t R, size_t U>
struct CodeTile {
  using I = typename V::I;
  using F = typename V::F;
  I acc[R * U];

  template <size_t... j>
  PITH_INLINE void clear(Indices<j...>) {
    ((acc[j] = V::zero()), ...);
  }
  template <size_t... v, size_t... j>
  PITH_INLINE void code_row(const uint8_t* codes, const int8_t* a, Indices<v...>, Indices<j...>) {
    const I w[U] = {V::load(codes + v * V::kBytes)...};
    ((acc[j] = V::dot8(acc[j], w[j % U], V::broadcast(a + j / U * kRowGroup))), ...);
  }
  PITH_INLINE void run(const Strip<V, Layout::i8c>& s, size_t row) {
    clear(IndicesTo<R * U>{});
    const size_t stride = s.row_bytes(), step = s.a.x.m * kRowGroup,
                 ahead = R > 3 ? kPrefetchRows : kPrefetchOneRow;
    const uint8_t* codes = s.codes(0);
    const int8_t* a = s.activations(0, row);
    size_t left = s.a.w.code_rows;
    for (; left >= 8; left -= 8, a += step) {
      // The next group of a tile is a jump away that hardware does not foresee.
      prefetch(reinterpret_cast<const uint8_t*>(a) + step, IndicesTo<(R * kRowGroup + 63) / 64>{});
      for (size_t j = 0; j < 8; ++j, codes += stride) {
        prefetch(codes + ahead, IndicesTo<(U * V::kBytes + 63) / 64>{});
        code_row(codes, a + 4 * j, IndicesTo<U>{}, IndicesTo<R * U>{});
      }
    }
    for (size_t j = 0; j < left; ++j, codes += stride)
      code_row(codes, a + 4 * j, IndicesTo<U>{}, IndicesTo<R * U>{});
    finish(s, row, IndicesTo<R * U>{});
  }
  template <size_t... i>
  PITH_INLINE static void prefetch(const uint8_t* at, Indices<i...>) {
    (_mm_prefetch(reinterpret_cast<const char*>(at) + 64 * i, _MM_HINT_T0), ...);
  }
  template <size_t... j>
  PITH_INLINE void finish(const Strip<V, Layout::i8c>& s, size_t row, Indices<j...>) {
    (finish_one(s, row + j / U, j % U, acc[j]), ...);
  }
  PITH_INLINE static void finish_one(const Strip<V, Layout::i8c>& s, size_t row, size_t v, I sum) {
    const size_t c = v * V::kLanes, column = s.n0 + c;
    if (column >= s.a.w.n) return;
    const RowGrid grid = s.a.x.grids[row];
    const void* ksum = s.tail(0) + c;
    sum = V::add_i(sum, V::start8(grid.zero, static_cast<const int32_t*>(ksum)));
    const F scale = V::mul(V::splat_f(grid.scale), V::load_f(s.tail(1) + c));
    put<V>(s.a, s.a.y + row * s.a.w.n + column, V::add(V::mul(V::cvt(sum), scale), V::load_f(s.tail(2) + c)),
           s.a.w.n - column);
  }
};

template <class V, size_t R, size_t U>
void code_tile(const Strip<V, Layout::i8c>& s, size_t row) {
  CodeTile<V, R, U> tile;
  tile.run(s, row);
}

template <class V, size_t U, size_t... r>
void code_tiles(const Strip<V, Layout::i8c>& s, Range rows, Indices<r...>) {
  using Fn = void (*)(const Strip<V, Layout::i8c>&, size_t);
  static constexpr Fn kTiles[] = {code_tile<V, r + 1, U>...};
  constexpr size_t kMost = sizeof...(r);
  size_t tiles = (rows.end - rows.begin + kMost - 1) / kMost;
  for (size_t row = rows.begin; row < rows.end; --tiles) {
    const size_t count = (rows.end - row + tiles - 1) / tiles;
    kTiles[count - 1](s, row);
    row += count;
  }
}

// kRows x kMany vectors in a tile; a single row takes kOne vectors at once.
template <class V, size_t kRows, size_t kMany, size_t kOne>
void code_strips(const PanelGemmArgs& a, const PanelShape& shape, size_t panel, Range rows) {
  const uint8_t* bytes = a.w.bytes + panel * a.w.full.bytes;
  const bool single = rows.end - rows.begin == 1;
  const size_t step = (single ? kOne : kMany) * V::kLanes;
  for (size_t first = 0; first + step <= shape.width; first += step) {
    const Strip<V, Layout::i8c> strip{a, shape, bytes, first, panel * kPanelWidth + first};
    if (single)
      code_tile<V, 1, kOne>(strip, rows.begin);
    else
      code_tiles<V, kMany>(strip, rows, IndicesTo<kRows>{});
  }
}

template <class V, class N, size_t kRows, size_t kMany, size_t kOne>
void i8c_gemm(const PanelGemmArgs& a, Range panels, Range rows) {
  if (rows.begin == rows.end) return;
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const PanelShape& shape = p + 1 == a.w.panels ? a.w.last : a.w.full;
    if (shape.width == kPanelWidth)
      code_strips<V, kRows, kMany, kOne>(a, shape, p, rows);
    else
      code_strips<N, kRows, 1, 1>(a, shape, p, rows);
  }
}

}  // namespace
}  // namespace pith::kernels
