// Layer and root-mean-square normalization, one row at a time.
#include "kernels/norm/layer_norm.h"

#include <cmath>

#include "kernels/reduce/axis_view.h"

namespace pith::kernels {

void layer_norm_ref(const LayerNormArgs& a, Range rows) {
  const auto n = static_cast<double>(a.n);
  for (size_t r = rows.begin; r < rows.end; ++r) {
    const float* x = a.x + r * a.n;
    float* y = a.y + r * a.n;
    const double mean = lane_sum(a.n, [&](size_t i) { return static_cast<double>(x[i]); }) / n;
    const double squares = lane_sum(a.n, [&](size_t i) {
      const double d = static_cast<double>(x[i]) - mean;
      return d * d;
    });
    const double inverse = 1 / std::sqrt(squares / n + static_cast<double>(a.epsilon));
    if (a.mean != nullptr) a.mean[r] = static_cast<float>(mean);
    if (a.inv_std != nullptr) a.inv_std[r] = static_cast<float>(inverse);
    const auto m = static_cast<float>(mean), factor = static_cast<float>(inverse);
    for (size_t i = 0; i < a.n; ++i) y[i] = (x[i] - m) * factor * a.scale[i * a.scale_step];
    if (a.bias == nullptr) continue;
    for (size_t i = 0; i < a.n; ++i) y[i] += a.bias[i * a.bias_step];
  }
}

void rms_norm_ref(const LayerNormArgs& a, Range rows) {
  for (size_t r = rows.begin; r < rows.end; ++r) {
    const float* x = a.x + r * a.n;
    float* y = a.y + r * a.n;
    const double squares =
        lane_sum(a.n, [&](size_t i) { return static_cast<double>(x[i]) * static_cast<double>(x[i]); });
    const double inverse = 1 / std::sqrt(squares / static_cast<double>(a.n) + static_cast<double>(a.epsilon));
    if (a.inv_std != nullptr) a.inv_std[r] = static_cast<float>(inverse);
    const auto factor = static_cast<float>(inverse);
    for (size_t i = 0; i < a.n; ++i) y[i] = x[i] * factor * a.scale[i * a.scale_step];
  }
}

}  // namespace pith::kernels
