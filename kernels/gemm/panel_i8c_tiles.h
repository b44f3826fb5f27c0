// Products with I8C weights, written once over an ISA's vectors V (see panel_gemm.h for what is computed).
// Included by ISA files only, like panel_strip.h.
//
// V gives, besides what panel4_tiles.h lists: the types Sum8 (what products are summed in) and Acts8; kSteps; kRolled (steps are
// not unrolled: where a product takes several instructions GCC 12 makes all of them first and spills); and
//   acts8(codes)          4 kSteps codes of a row
//   zero8()               no sum yet
//   dot8<j>(i, w, a)      i += the products of quad j < kSteps; w s8; a as the form of the activations stores it
//   finish8(i)            i32 per channel
//   start8(zero, ksum)    what removes the row's zero point and the form's offset: -(zero + offset) * ksum
//
// and where kPairs says so what panel4_tiles.h lists for it, with pair8(codes, codes): 8 codes of two rows.
//
// A tile of R rows x U vectors of channels keeps its sums in registers over all of K. Rows are dealt evenly to the tiles.
#pragma once
#include "kernels/gemm/panel_strip.h"

namespace pith::kernels {
namespace {

constexpr size_t kPrefetchRows = 1024, kPrefetchOneRow = 18432;  // bytes ahead, measured on Zen 4

template <class V, size_t R, size_t U>
struct CodeTile {
  using F = typename V::F;
  typename V::Sum8 acc[R * U];

  template <size_t... j>
  PITH_INLINE void clear(Indices<j...>) {
    ((acc[j] = V::zero8()), ...);
  }
  // Rows of codes whose activations are the first quads at `a`.
  template <size_t... s, size_t... r>
  PITH_INLINE void step(const uint8_t* codes, size_t stride, const int8_t* a, Indices<s...>, Indices<r...>) {
    const typename V::Acts8 acts[R] = {V::acts8(a + r * kRowGroup)...};
    (code_row<s>(codes + s * stride, acts, IndicesTo<U>{}, IndicesTo<R * U>{}), ...);
  }
  template <size_t s, size_t... v, size_t... j>
  PITH_INLINE void code_row(const uint8_t* codes, const typename V::Acts8 (&acts)[R], Indices<v...>,
                            Indices<j...>) {
    constexpr size_t kAhead = R > 3 ? kPrefetchRows : kPrefetchOneRow;
    ahead(codes + kAhead, IndicesTo<(U * V::kBytes + 63) / 64>{});
    const typename V::W w[U] = {V::load(codes + v * V::kBytes)...};
    ((acc[j] = V::template dot8<s>(acc[j], w[j % U], acts[j / U])), ...);
  }
  PITH_INLINE void run(const Strip<V, Layout::i8c>& s, size_t row) {
    clear(IndicesTo<R * U>{});
    const size_t stride = s.row_bytes(), next = s.a.x.m * kRowGroup;
    const uint8_t* codes = s.codes(0);
    const int8_t* a = s.activations(0, row);
    size_t left = s.a.w.code_rows;
    for (; left >= 8; left -= 8, a += next) {
      // The next group of a tile is a jump away that hardware does not foresee.
      ahead(reinterpret_cast<const uint8_t*>(a) + next, IndicesTo<(R * kRowGroup + 63) / 64>{});
      if constexpr (V::kRolled) {
#pragma GCC unroll 1
        for (size_t j = 0; j < 8; j += V::kSteps, codes += V::kSteps * stride)
          step(codes, stride, a + 4 * j, IndicesTo<V::kSteps>{}, IndicesTo<R>{});
      } else {
        for (size_t j = 0; j < 8; j += V::kSteps, codes += V::kSteps * stride)
          step(codes, stride, a + 4 * j, IndicesTo<V::kSteps>{}, IndicesTo<R>{});
      }
    }
    size_t j = 0;
    for (; j + V::kSteps <= left; j += V::kSteps, codes += V::kSteps * stride)
      step(codes, stride, a + 4 * j, IndicesTo<V::kSteps>{}, IndicesTo<R>{});
    if constexpr (V::kSteps > 2)  // code rows come in pairs
      if (j < left) step(codes, stride, a + 4 * j, IndicesTo<2>{}, IndicesTo<R>{});
    finish(s, row, IndicesTo<R * U>{});
  }
  template <size_t... i>
  PITH_INLINE static void ahead(const uint8_t* at, Indices<i...>) {
    (prefetch(at + 64 * i), ...);
  }
  template <size_t... j>
  PITH_INLINE void finish(const Strip<V, Layout::i8c>& s, size_t row, Indices<j...>) {
    (finish_one(s, row + j / U, j % U, V::finish8(acc[j])), ...);
  }
  PITH_INLINE static void finish_one(const Strip<V, Layout::i8c>& s, size_t row, size_t v,
                                     typename V::Acc sum) {
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

// R rows as pairs for products of 2 rows x 2 channels x 8 k; the last pair of an odd R takes its row twice.
template <class V, size_t R, size_t U>
struct PairTile {
  static constexpr size_t kPairs = (R + 1) / 2;
  typename V::Acc acc[2 * kPairs * U];  // [pair][half of the channels][vector]

  template <size_t... j>
  PITH_INLINE void clear(Indices<j...>) {
    ((acc[j] = V::zero()), ...);
  }
  template <size_t... v, size_t... p, size_t... j>
  PITH_INLINE void step(const uint8_t* codes, size_t stride, const int8_t* a, Indices<v...>, Indices<p...>,
                        Indices<j...>) {
    const typename V::W even[U] = {V::load(codes + v * V::kBytes)...};
    const typename V::W odd[U] = {V::load(codes + stride + v * V::kBytes)...};
    const typename V::W low[U] = {V::join_low(even[v], odd[v])...},
                        high[U] = {V::join_high(even[v], odd[v])...};
    const typename V::W rows[kPairs] = {
        V::pair8(a + 2 * p * kRowGroup, a + (2 * p + 1 < R ? 2 * p + 1 : 2 * p) * kRowGroup)...};
    ((acc[j] = V::pair_product(acc[j], j / U % 2 == 0 ? low[j % U] : high[j % U], rows[j / (2 * U)])), ...);
  }
  PITH_INLINE void run(const Strip<V, Layout::i8c>& s, size_t row) {
    clear(IndicesTo<2 * kPairs * U>{});
    const size_t stride = s.row_bytes(), next = s.a.x.m * kRowGroup;
    const uint8_t* codes = s.codes(0);
    const int8_t* a = s.activations(0, row);
    for (size_t r = 0; r < s.a.w.code_rows; r += 2, codes += 2 * stride) {
      prefetch(codes + kPrefetchRows);
      step(codes, stride, a + r / 8 * next + r % 8 * 4, IndicesTo<U>{}, IndicesTo<kPairs>{},
           IndicesTo<2 * kPairs * U>{});
    }
    finish(s, row, IndicesTo<kPairs * U>{});
  }
  template <size_t... j>
  PITH_INLINE void finish(const Strip<V, Layout::i8c>& s, size_t row, Indices<j...>) {
    (finish_pair<j / U, j % U>(s, row), ...);
  }
  template <size_t p, size_t v>
  PITH_INLINE void finish_pair(const Strip<V, Layout::i8c>& s, size_t row) {
    const typename V::Acc low = acc[2 * p * U + v], high = acc[(2 * p + 1) * U + v];
    CodeTile<V, 1, 1>::finish_one(s, row + 2 * p, v, V::first_row(low, high));
    if constexpr (2 * p + 1 < R)
      CodeTile<V, 1, 1>::finish_one(s, row + 2 * p + 1, v, V::second_row(low, high));
  }
};

template <class V, size_t R, size_t U>
void code_tile(const Strip<V, Layout::i8c>& s, size_t row) {
  if constexpr (V::kPairs && R > 1) {
    PairTile<V, R, U> tile;
    tile.run(s, row);
  } else {
    CodeTile<V, R, U> tile;
    tile.run(s, row);
  }
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

template <class V, class Shape>
void code_strips(const PanelGemmArgs& a, const PanelShape& shape, size_t panel, Range rows) {
  const uint8_t* bytes = a.w.bytes + panel * a.w.full.bytes;
  const bool single = rows.end - rows.begin == 1;
  const size_t step = (single ? Shape::kOne : Shape::kMany) * V::kLanes;
  for (size_t first = 0; first + step <= shape.width; first += step) {
    const Strip<V, Layout::i8c> strip{a, shape, bytes, first, panel * kPanelWidth + first};
    if (single)
      code_tile<V, 1, Shape::kOne>(strip, rows.begin);
    else
      code_tiles<V, Shape::kMany>(strip, rows, IndicesTo<Shape::kRows>{});
  }
}

// Full panels with V in tiles VShape; narrower ones with N in tiles NShape, which divide 8 channels.
template <class V, class VShape, class N, class NShape>
void i8c_gemm(const PanelGemmArgs& a, Range panels, Range rows) {
  if (rows.begin == rows.end) return;
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const PanelShape& shape = p + 1 == a.w.panels ? a.w.last : a.w.full;
    if (shape.width == kPanelWidth)
      code_strips<V, VShape>(a, shape, p, rows);
    else
      code_strips<N, NShape>(a, shape, p, rows);
  }
}

}  // namespace
}  // namespace pith::kernels
