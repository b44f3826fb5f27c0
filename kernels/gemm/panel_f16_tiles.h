// Products with weights in halves, written once over an ISA's vectors (float_vectors.h). Included by ISA files only.
// Full panels go through kWide vectors of channels at a time, narrow ones in strips of 8 channels.
#pragma once
#include "kernels/base/float_vectors.h"
#include "kernels/gemm/panel_f16.h"

namespace pith::kernels {
namespace {

constexpr size_t kPrefetchHalves = 4608;  // bytes ahead

// U vectors of channels from channel `first` of a panel, for R rows.
template <class V, size_t U, size_t R>
struct HalfTile {
  using F = typename V::F;
  const PanelF16Args& a;
  const PanelShape& shape;
  const uint8_t* panel;
  size_t first, column;  // of the panel; of y

  // Not inlined: what surrounds the loop would take its registers.
  template <size_t... s, size_t... v>
  [[gnu::noinline]] void run(size_t row, Indices<s...>, Indices<v...>) const {
    const size_t row_bytes = 2 * shape.width, stride = a.w.k;
    const uint8_t* w = panel + 2 * first;
    const float* x = a.x + row * stride;
    F acc[R * U] = {((void)s, V::zero())...};
    for (size_t k = 0; k < a.w.k; ++k, ++x, w += row_bytes) {  // unrolled, GCC 12 spills the sums
      __builtin_prefetch(w + kPrefetchHalves);
      const F weights[U] = {V::halves(w + v * 2 * V::kLanes)...};
      ((acc[s] = V::mul_add(V::splat(x[s / U * stride]), weights[s % U], acc[s])), ...);
    }
    (put(row + s / U, s % U, acc[s]), ...);
  }
  PITH_INLINE void put(size_t row, size_t v, F f) const {
    const size_t c = v * V::kLanes;
    if (column + c >= a.w.n) return;
    const void* bias = panel + shape.tail + 4 * (first + c);
    const F y = V::clamp(V::add(f, V::load(static_cast<const float*>(bias))), V::splat(a.clamp_min),
                         V::splat(a.clamp_max));
    float* to = a.y + row * a.w.n + column + c;
    if (const size_t left = a.w.n - column - c; left < V::kLanes) {
      float part[V::kLanes];
      V::store(part, y);
      for (size_t i = 0; i < left; ++i) to[i] = part[i];
      return;
    }
    V::store(to, y);
  }
};

template <class V, size_t U, size_t R>
PITH_INLINE size_t half_rows(const PanelF16Args& a, const PanelShape& shape, const uint8_t* panel,
                             size_t first, size_t column, size_t row, size_t end) {
  const HalfTile<V, U, R> tile{a, shape, panel, first, column};
  for (; row + R <= end; row += R) tile.run(row, IndicesTo<R * U>{}, IndicesTo<U>{});
  return row;
}

// Wide: vectors of full panels, kWide at a time, kRows rows; N: of narrow strips.
template <class Wide, size_t kWide, size_t kRows, class N>
PITH_INLINE void f16_gemm(const PanelF16Args& a, Range panels, Range rows) {
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const PanelShape& shape = p + 1 == a.w.panels ? a.w.last : a.w.full;
    const uint8_t* panel = a.w.bytes + p * a.w.full.bytes;
    const size_t n0 = p * kPanelWidth;
    if (shape.width == kPanelWidth) {
      for (size_t c = 0; c < kPanelWidth; c += kWide * Wide::kLanes) {
        size_t row = half_rows<Wide, kWide, kRows>(a, shape, panel, c, n0 + c, rows.begin, rows.end);
        row = half_rows<Wide, kWide, 2>(a, shape, panel, c, n0 + c, row, rows.end);
        half_rows<Wide, kWide, 1>(a, shape, panel, c, n0 + c, row, rows.end);
      }
      continue;
    }
    constexpr size_t kStrip = 8 / N::kLanes;
    for (size_t c = 0; c < shape.width; c += 8) {
      const size_t row = half_rows<N, kStrip, 4>(a, shape, panel, c, n0 + c, rows.begin, rows.end);
      half_rows<N, kStrip, 1>(a, shape, panel, c, n0 + c, row, rows.end);
    }
  }
}

}  // namespace
}  // namespace pith::kernels
