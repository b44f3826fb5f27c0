// Simulated int8 products over the sampled rows, for every alpha.
#include "converter/quantize/smooth_quant.h"

#include <algorithm>
#include <cmath>

#include "converter/quantize/channel_fold.h"
#include "converter/quantize/product_rows.h"
#include "converter/quantize/weight_quant.h"

namespace pith::quantize {
namespace {

constexpr int kAlphas = 20;
constexpr double kFloor = 1e-5, kLargestFactor = 100;
constexpr double kNearDead = 0.1;  // channels below this quantile count as large as the quantile

// 255 steps from the least to the largest value, zero among them.
void round_trip_row(std::span<double> x) {
  double low = 0, high = 0;
  for (const double v : x) low = std::min(low, v), high = std::max(high, v);
  if (low == high) return;
  const double scale = (high - low) / 255, zero = std::nearbyint(-low / scale);
  for (double& v : x) v = scale * (std::clamp(std::nearbyint(v / scale) + zero, 0.0, 255.0) - zero);
}

double dot(const double* a, const double* b, size_t n) {
  double s[4] = {};
  size_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (size_t l = 0; l < 4; ++l) s[l] += a[i + l] * b[i + l];
  for (; i < n; ++i) s[0] += a[i] * b[i];
  return (s[0] + s[2]) + (s[1] + s[3]);
}

std::vector<double> largest_weights(std::span<ir::Node* const> nodes, size_t channels) {
  std::vector<double> most(channels);
  for (const ir::Node* node : nodes) {
    const auto w = node->in(1)->elements<float>();
    for (size_t i = 0; i < w.size(); ++i)
      most[i % channels] = std::max(most[i % channels], std::fabs(double{w[i]}));
  }
  return most;
}

std::vector<double> largest_inputs(const ProductMoments& m, size_t channels) {
  std::vector<double> most(channels);
  for (size_t j = 0; j < m.fit.columns(); ++j)
    most[j % channels] = std::max(most[j % channels], double{m.fit.largest(j)});
  std::vector<double> sorted = most;
  std::sort(sorted.begin(), sorted.end());
  const double least = sorted[static_cast<size_t>(kNearDead * static_cast<double>(channels - 1))];
  for (double& v : most) v = std::max(v, least);
  return most;
}

}  // namespace

Result<double> int8_loss(std::span<const float> w, size_t n, std::span<const float> rows, size_t k,
                         std::span<const double> factors, Int8Rows grids) {
  std::vector<float> scaled(w.begin(), w.end());
  for (size_t i = 0; i < scaled.size(); ++i)
    scaled[i] = static_cast<float>(scaled[i] * factors[i % k % factors.size()]);
  PITH_ASSIGN(const QuantizedWeights q, quantize_weights({scaled, 1, n, k}, {}));
  std::vector<double> codes(rows.size()), exact(rows.begin(), rows.end());
  for (size_t i = 0; i < rows.size(); ++i) codes[i] = rows[i] / factors[i % k % factors.size()];
  if (grids == Int8Rows::shared) round_trip_row(codes);
  for (size_t r = 0; grids == Int8Rows::each && r < rows.size(); r += k)
    round_trip_row(std::span(codes).subspan(r, k));
  double loss = 0;
  std::vector<double> weights(k), decoded(k);
  for (size_t row = 0; row < n; ++row) {
    for (size_t j = 0; j < k; ++j) {
      weights[j] = w[row * k + j];
      decoded[j] = static_cast<double>(q.scales[row]) * q.codes[row * k + j];
    }
    for (size_t r = 0; r < rows.size(); r += k) {
      const double e = dot(weights.data(), exact.data() + r, k) - dot(decoded.data(), codes.data() + r, k);
      loss += e * e;
    }
  }
  const size_t samples = rows.size() / k;
  return loss / static_cast<double>(samples);
}

Result<ChannelScales> choose_smoothing(std::span<ir::Node* const> sharing, const ProductMoments& moments,
                                       Int8Rows rows) {
  const size_t k = moments.fit.columns();
  if (moments.sample.size() < k || k == 0)
    return Status(Code::bad_argument, "smoothing is judged on sampled rows, and the moments have none");
  for (const ir::Node* node : sharing) {
    PITH_ASSIGN(const ProductMatrix m, product_matrix(*node));
    if (m.columns != k)
      return Status(Code::bad_argument,
                    "'" + node->name + "' does not read the rows that the moments are of");
  }
  const size_t channels = input_channels(*sharing.front());
  const std::vector<double> x = largest_inputs(moments, channels), w = largest_weights(sharing, channels);
  const auto loss_of = [&](std::span<const double> factors) -> Result<double> {
    double sum = 0;
    for (const ir::Node* node : sharing) {
      const auto weights = node->in(1)->elements<float>();
      PITH_ASSIGN(const double loss,
                  int8_loss(weights, weights.size() / k, moments.sample, k, factors, rows));
      sum += loss;
    }
    return sum;
  };
  ChannelScales best;
  best.factors.assign(channels, 1.0);
  PITH_ASSIGN(best.loss_before, loss_of(best.factors));
  best.loss_after = best.loss_before;
  for (int step = 0; step <= kAlphas; ++step) {
    const double alpha = static_cast<double>(step) / kAlphas;
    std::vector<double> s(channels);
    for (size_t c = 0; c < channels; ++c)
      s[c] = std::clamp(std::pow(std::max(x[c], kFloor), alpha) / std::pow(std::max(w[c], kFloor), 1 - alpha),
                        1 / kLargestFactor, kLargestFactor);
    PITH_ASSIGN(const double loss, loss_of(s));
    if (loss < best.loss_after) best.loss_after = loss, best.parameter = alpha, best.factors = std::move(s);
  }
  return best;
}

}  // namespace pith::quantize
