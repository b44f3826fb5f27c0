// Inputs of products as networks have them: columns correlated and of unlike sizes.
#pragma once
#include <cmath>
#include <vector>

#include "converter/quantize/moments.h"
#include "tests/support/distributions.h"

namespace pith::testing {

// Rows whose columns are correlated (a mixture of few sources) and of unlike sizes.
inline std::vector<float> correlated_rows(size_t rows, size_t k, uint64_t seed) {
  const size_t sources = k / 3 + 1;
  const auto mix = normals(sources * k, 0, 1, seed), s = normals(rows * sources, 0.2, 1, seed + 1),
             own = normals(rows * k, 0, 0.3, seed + 2), size = testing::laplaces(k, seed + 3);
  std::vector<float> x(rows * k);
  for (size_t r = 0; r < rows; ++r)
    for (size_t j = 0; j < k; ++j) {
      double v = own[r * k + j];
      for (size_t i = 0; i < sources; ++i)
        v += double{s[r * sources + i]} * mix[i * k + j] / std::sqrt(double(sources));
      x[r * k + j] = static_cast<float>(v * (0.2 + std::abs(double{size[j]})));
    }
  return x;
}
inline quantize::Moments moments_of(const std::vector<float>& x, size_t k) {
  quantize::Moments m(k, true);
  m.add(x);
  return m;
}

}  // namespace pith::testing
