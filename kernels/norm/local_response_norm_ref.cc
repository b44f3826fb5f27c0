// Local response normalization; the window is summed afresh for every channel, so no error builds up.
#include "kernels/norm/local_response_norm.h"

#include <algorithm>
#include <cmath>

namespace pith::kernels {

void local_response_norm_ref(const LocalResponseNormArgs& a, Range pieces) {
  const AxisView& v = a.view;
  const size_t tiles = pieces_of(v) / v.outer, below = (a.size - 1) / 2, above = a.size - 1 - below;
  const float scale = a.alpha / static_cast<float>(a.size);
  for (size_t piece = pieces.begin; piece < pieces.end; ++piece) {
    const size_t column = piece % tiles * kTile, first = piece / tiles * v.n * v.inner + column;
    const size_t width = std::min(kTile, v.inner - column);
    const float* x = a.x + first;
    float* y = a.y + first;
    for (size_t c = 0; c < v.n; ++c) {
      float sum[kTile] = {};
      const size_t begin = c - std::min(c, below), end = c + std::min(above, v.n - 1 - c) + 1;
      for (size_t i = begin; i < end; ++i)
        for (size_t j = 0; j < width; ++j) sum[j] += x[i * v.inner + j] * x[i * v.inner + j];
      for (size_t j = 0; j < width; ++j)
        y[c * v.inner + j] = x[c * v.inner + j] / std::pow(a.bias + scale * sum[j], a.beta);
    }
  }
}

}  // namespace pith::kernels
