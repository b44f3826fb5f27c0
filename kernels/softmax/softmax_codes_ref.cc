// Softmax of 8-bit codes: integer maximum, exponentials from a table, results quantized again.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/base/requant.h"
#include "kernels/softmax/softmax.h"

namespace pith::kernels {
namespace {

template <class X, class Y>
void column(const SoftmaxArgs& a, const X* x, Y* y) {
  const size_t n = a.view.n, step = a.view.inner;
  constexpr int32_t kLow = std::numeric_limits<Y>::min(), kHigh = std::numeric_limits<Y>::max();
  int top = x[0];
  for (size_t k = 1; k < n; ++k) top = std::max<int>(top, x[k * step]);
  double sum = 0;
  for (size_t k = 0; k < n; ++k) sum += static_cast<double>(a.exp_table[top - x[k * step]]);
  const auto inverse = static_cast<float>(1 / sum), log_sum = static_cast<float>(std::log(sum));
  for (size_t k = 0; k < n; ++k) {
    const int below = top - x[k * step];
    const float real = a.kind == SoftmaxKind::softmax ? a.exp_table[below] * inverse
                                                      : -a.x.scale * static_cast<float>(below) - log_sum;
    y[k * step] = static_cast<Y>(quantize(real, a.y.scale, a.y.zero, kLow, kHigh));
  }
}

template <class X, class Y>
void columns(const SoftmaxArgs& a, Range pieces) {
  const AxisView& v = a.view;
  const size_t tiles = pieces_of(v) / v.outer;
  for (size_t piece = pieces.begin; piece < pieces.end; ++piece) {
    const size_t begin = piece % tiles * kTile, end = std::min(begin + kTile, v.inner);
    for (size_t c = begin; c < end; ++c) {
      const size_t first = piece / tiles * v.n * v.inner + c;
      column(a, static_cast<const X*>(a.x.data) + first, static_cast<Y*>(a.y.data) + first);
    }
  }
}

}  // namespace

void make_exp_table(float scale, float table[256]) {
  for (int d = 0; d < 256; ++d) table[d] = static_cast<float>(std::exp(-static_cast<double>(scale) * d));
}

void softmax_codes_ref(const SoftmaxArgs& a, Range pieces) {
  const bool x_signed = a.x.dtype == DType::i8, y_signed = a.y.dtype == DType::i8;
  if (x_signed) return y_signed ? columns<int8_t, int8_t>(a, pieces) : columns<int8_t, uint8_t>(a, pieces);
  y_signed ? columns<uint8_t, int8_t>(a, pieces) : columns<uint8_t, uint8_t>(a, pieces);
}

}  // namespace pith::kernels
