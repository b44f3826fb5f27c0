// Arg reductions by blocks in double, int64 or uint64.
#include "kernels/reduce/arg_reduce.h"

#include <algorithm>

namespace pith::kernels {
namespace {

template <class W>
bool wins(const ArgReduceArgs& a, W x, W best) {
  return (a.largest ? x > best : x < best) || (a.last && x == best);
}

template <class W>
void row(const ArgReduceArgs& a, size_t first, int64_t* y) {
  W block[kBlock], best{};
  size_t at = 0;
  for (size_t done = 0; done < a.view.n; done += kBlock) {
    const size_t n = std::min(kBlock, a.view.n - done);
    load_block(a.x, first + done, n, block);
    if (done == 0) best = block[0];
    for (size_t i = 0; i < n; ++i)
      if (wins(a, block[i], best)) best = block[i], at = done + i;
  }
  *y = static_cast<int64_t>(at);
}

template <class W>
void tile(const ArgReduceArgs& a, size_t first, size_t c, int64_t* y) {
  W best[kTile], block[kTile];
  load_block(a.x, first, c, best);
  std::fill(y, y + c, 0);
  for (size_t k = 1; k < a.view.n; ++k) {
    load_block(a.x, first + k * a.view.inner, c, block);
    for (size_t j = 0; j < c; ++j)
      if (wins(a, block[j], best[j])) best[j] = block[j], y[j] = static_cast<int64_t>(k);
  }
}

template <class W>
void run_in(const ArgReduceArgs& a, Range pieces) {
  const AxisView& v = a.view;
  const size_t tiles = pieces_of(v) / v.outer;
  for (size_t piece = pieces.begin; piece < pieces.end; ++piece) {
    const size_t o = piece / tiles, column = piece % tiles * kTile;
    const size_t first = o * v.n * v.inner + column;
    if (v.inner == 1)
      row<W>(a, first, a.y + o);
    else
      tile<W>(a, first, std::min(kTile, v.inner - column), a.y + o * v.inner + column);
  }
}

}  // namespace

void arg_reduce_ref(const ArgReduceArgs& a, Range pieces) {
  const Wide wide = wide_of(a.x.dtype);
  if (wide == Wide::i64) return run_in<int64_t>(a, pieces);
  if (wide == Wide::u64) return run_in<uint64_t>(a, pieces);
  run_in<double>(a, pieces);
}

}  // namespace pith::kernels
