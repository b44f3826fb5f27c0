// Running sums: block after block along a row, or row after row of a tile of columns.
#include "kernels/reduce/cum_sum.h"

#include <algorithm>

namespace pith::kernels {
namespace {

template <class W>
W joined(bool product, W p, W q) {
  if constexpr (std::is_integral_v<W>) {
    const auto a = static_cast<uint64_t>(p), b = static_cast<uint64_t>(q);
    return static_cast<W>(product ? a * b : a + b);
  } else {
    return product ? p * q : p + q;
  }
}

// One step: *total takes x in; gives the result at this place.
template <class W>
W step(const CumSumArgs& a, W* total, W x) {
  const W before = *total;
  *total = joined(a.product, before, x);
  return a.exclusive ? before : *total;
}

template <class W>
void row(const CumSumArgs& a, size_t first) {
  W block[kBlock], total = a.product ? W(1) : W(0);
  for (size_t done = 0; done < a.view.n; done += kBlock) {
    const size_t n = std::min(kBlock, a.view.n - done);
    const size_t at = first + (a.reverse ? a.view.n - done - n : done);
    load_block(a.x, at, n, block);
    for (size_t i = 0; i < n; ++i) {
      W& place = block[a.reverse ? n - 1 - i : i];
      place = step(a, &total, place);
    }
    store_block(block, n, a.y, at);
  }
}

template <class W>
void tile(const CumSumArgs& a, size_t first, size_t c) {
  W block[kTile], total[kTile];
  std::fill(total, total + c, a.product ? W(1) : W(0));
  for (size_t k = 0; k < a.view.n; ++k) {
    const size_t at = first + (a.reverse ? a.view.n - 1 - k : k) * a.view.inner;
    load_block(a.x, at, c, block);
    for (size_t j = 0; j < c; ++j) block[j] = step(a, &total[j], block[j]);
    store_block(block, c, a.y, at);
  }
}

template <class W>
void run_in(const CumSumArgs& a, Range pieces) {
  const AxisView& v = a.view;
  const size_t tiles = pieces_of(v) / v.outer;
  for (size_t piece = pieces.begin; piece < pieces.end; ++piece) {
    const size_t column = piece % tiles * kTile, first = piece / tiles * v.n * v.inner + column;
    if (v.inner == 1)
      row<W>(a, first);
    else
      tile<W>(a, first, std::min(kTile, v.inner - column));
  }
}

}  // namespace

void cum_sum_ref(const CumSumArgs& a, Range pieces) {
  const Wide wide = wide_of(a.x.dtype);
  if (wide == Wide::i64) return run_in<int64_t>(a, pieces);
  if (wide == Wide::u64) return run_in<uint64_t>(a, pieces);
  run_in<double>(a, pieces);
}

}  // namespace pith::kernels
