// Fully connected layers by dot products: chunks of 4 weight rows stay in the first cache while all rows of x
// pass.
#include "kernels/gemm/fully_connected.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "kernels/base/requant.h"
#include "kernels/gemm/dot_tile.h"

namespace pith::kernels {
namespace {

constexpr size_t kColumns = kFullyConnectedColumns;
constexpr size_t kChunk = 512;  // 4 rows of 2 KiB

float clamp(float v, float lo, float hi) {
  v = v < lo ? lo : v;
  return v > hi ? hi : v;
}

// y[m, n0 + r] += x[m, k0..] . w[r], for `columns` <= 4 rows of w.
void add_products(const FullyConnectedArgs& a, size_t n0, size_t columns, size_t k0, size_t count,
                  const float* const (&w)[kColumns]) {
  for (size_t m = 0; m < a.m; ++m) {
    const float* x[1] = {a.x + m * a.k + k0};
    Lanes<float> acc[1][kColumns] = {};
    dot_tile<1, kColumns>(x, w, count, acc);
    float* y = a.y + m * a.n + n0;
    for (size_t r = 0; r < columns; ++r) y[r] += sum_lanes(acc[0][r]);
  }
}

}  // namespace

template <class W>
void fully_connected_ref(const FullyConnectedArgs& a, Range blocks) {
  for (size_t block = blocks.begin; block < blocks.end; ++block) {
    const size_t n0 = block * kColumns, columns = std::min(kColumns, a.n - n0);
    for (size_t m = 0; m < a.m; ++m)
      for (size_t r = 0; r < columns; ++r) a.y[m * a.n + n0 + r] = a.bias == nullptr ? 0.0f : a.bias[n0 + r];
    for (size_t k0 = 0; k0 < a.k; k0 += kChunk) {
      const size_t count = std::min(kChunk, a.k - k0);
      const float* rows[kColumns];
      [[maybe_unused]] float wide[kColumns][kChunk];
      for (size_t r = 0; r < kColumns; ++r) {
        // Missing rows of the last block repeat its last one; their sums are dropped.
        const W* from = static_cast<const W*>(a.w) + (n0 + std::min(r, columns - 1)) * a.k + k0;
        if constexpr (!std::is_same_v<W, float>) {
          widen_halves(from, wide[r], count);
          rows[r] = wide[r];
        } else {
          rows[r] = from;
        }
      }
      add_products(a, n0, columns, k0, count, rows);
    }
    for (size_t m = 0; m < a.m; ++m)
      for (size_t r = 0; r < columns; ++r) {
        float& y = a.y[m * a.n + n0 + r];
        y = clamp(y, a.clamp_min, a.clamp_max);
      }
  }
}
template void fully_connected_ref<float>(const FullyConnectedArgs&, Range);
template void fully_connected_ref<f16>(const FullyConnectedArgs&, Range);
template void fully_connected_ref<bf16>(const FullyConnectedArgs&, Range);

template <class X, class W, class Y>
void fully_connected_codes_ref(const FullyConnectedCodesArgs& a, Range blocks) {
  const size_t end = std::min(a.n, blocks.end * kColumns);
  for (size_t n = blocks.begin * kColumns; n < end; ++n) {
    const W* w = static_cast<const W*>(a.w) + n * a.k;
    const int32_t w_zero = a.w_zero[n * a.w_zero_stride];
    const auto bias = static_cast<uint32_t>(a.bias == nullptr ? 0 : a.bias[n]);
    for (size_t m = 0; m < a.m; ++m) {
      const X* x = static_cast<const X*>(a.x) + m * a.k;
      const auto sum = static_cast<uint32_t>(dot_codes(x, w, a.k, a.x_zero, w_zero)) + bias;
      static_cast<Y*>(a.y)[m * a.n + n] = static_cast<Y>(
          requantize(static_cast<int32_t>(sum), a.scale[n * a.scale_stride], a.y_zero, a.y_lo, a.y_hi));
    }
  }
}
#define PITH_FULLY_CONNECTED_CODES(X, W)                                                        \
  template void fully_connected_codes_ref<X, W, int8_t>(const FullyConnectedCodesArgs&, Range); \
  template void fully_connected_codes_ref<X, W, uint8_t>(const FullyConnectedCodesArgs&, Range);
PITH_FULLY_CONNECTED_CODES(int8_t, int8_t)
PITH_FULLY_CONNECTED_CODES(int8_t, uint8_t)
PITH_FULLY_CONNECTED_CODES(uint8_t, int8_t)
PITH_FULLY_CONNECTED_CODES(uint8_t, uint8_t)
#undef PITH_FULLY_CONNECTED_CODES

RowGrid row_grid_ref(const float* x, size_t k) {
  float lo = 0, hi = 0, poison = 0;
  for (size_t i = 0; i < k; ++i) {
    lo = x[i] < lo ? x[i] : lo;
    hi = x[i] > hi ? x[i] : hi;
    poison += x[i] * 0.0f;  // becomes NaN when an element is not finite
  }
  return row_grid_from(lo, hi, poison == 0.0f);
}

RowGrid row_grid_from(float lo, float hi, bool finite) {
  RowGrid grid;
  const float span = hi - lo;
  // Below 1e-30 every code is zero, and so is x but for 1e-30.
  grid.scale = span > 1e-30f ? span / 255.0f : 1.0f;
  grid.zero = round_to_code(-128.0f - lo / grid.scale, 0, -128, 127);
  if (!finite || !(span <= 3.4e38f)) grid.scale = NAN;
  return grid;
}

// A grid of NaN gives some code of the range: its sums are NaN whatever they are multiplied with.
int32_t row_code_ref(float x, const RowGrid& grid) { return quantize(x, grid.scale, grid.zero, -128, 127); }

void quantize_rows_ref(const float* x, size_t k, int8_t* codes, RowGrid* grids, Range rows) {
  for (size_t m = rows.begin; m < rows.end; ++m) {
    grids[m] = row_grid_ref(x + m * k, k);
    for (size_t i = 0; i < k; ++i)
      codes[m * k + i] = static_cast<int8_t>(row_code_ref(x[m * k + i], grids[m]));
  }
}

template <class W>
void fully_connected_dynamic_ref(const FullyConnectedDynamicArgs& a, Range blocks) {
  const size_t end = std::min(a.n, blocks.end * kColumns);
  for (size_t n = blocks.begin * kColumns; n < end; ++n) {
    const W* w = static_cast<const W*>(a.w) + n * a.k;
    const int32_t w_zero = a.w_zero[n * a.w_zero_stride];
    const float w_scale = a.w_scale[n * a.w_scale_stride], bias = a.bias == nullptr ? 0.0f : a.bias[n];
    for (size_t m = 0; m < a.m; ++m) {
      const RowGrid grid = a.grids[m];
      const int32_t sum = dot_codes(a.codes + m * a.k, w, a.k, grid.zero, w_zero);
      const float y = static_cast<float>(sum) * (grid.scale * w_scale) + bias;
      a.y[m * a.n + n] = clamp(y, a.clamp_min, a.clamp_max);
    }
  }
}
template void fully_connected_dynamic_ref<int8_t>(const FullyConnectedDynamicArgs&, Range);
template void fully_connected_dynamic_ref<uint8_t>(const FullyConnectedDynamicArgs&, Range);

}  // namespace pith::kernels
