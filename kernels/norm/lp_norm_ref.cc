// Lp normalization by tiles of columns; a row is a tile of one.
#include "kernels/norm/lp_norm.h"

#include <algorithm>
#include <cmath>

namespace pith::kernels {

void lp_norm_ref(const LpNormArgs& a, Range pieces) {
  const AxisView& v = a.view;
  const size_t tiles = pieces_of(v) / v.outer;
  for (size_t piece = pieces.begin; piece < pieces.end; ++piece) {
    const size_t column = piece % tiles * kTile, first = piece / tiles * v.n * v.inner + column;
    const size_t c = std::min(kTile, v.inner - column);
    const float* x = a.x + first;
    float* y = a.y + first;
    double norm[kTile] = {};
    if (v.inner == 1) {
      norm[0] = lane_sum(v.n, [&](size_t k) {
        const auto e = static_cast<double>(x[k]);
        return a.p == 1 ? std::fabs(e) : e * e;
      });
    } else {
      for (size_t k = 0; k < v.n; ++k)
        for (size_t j = 0; j < c; ++j) {
          const auto e = static_cast<double>(x[k * v.inner + j]);
          norm[j] += a.p == 1 ? std::fabs(e) : e * e;
        }
    }
    for (size_t j = 0; j < c; ++j) {
      if (a.p == 2) norm[j] = std::sqrt(norm[j]);
      if (norm[j] == 0) norm[j] = 1;
    }
    for (size_t k = 0; k < v.n; ++k)
      for (size_t j = 0; j < c; ++j)
        y[k * v.inner + j] = static_cast<float>(static_cast<double>(x[k * v.inner + j]) / norm[j]);
  }
}

}  // namespace pith::kernels
