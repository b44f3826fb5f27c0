// Candidates, and the loss of each.
#include "converter/quantize/awq.h"

#include <algorithm>
#include <cmath>

#include "converter/quantize/channel_fold.h"
#include "converter/quantize/product_rows.h"

namespace pith::quantize {
namespace {

constexpr int kRatios = 20;
constexpr double kLeast = 1e-4;

// 1 in the geometric middle of the largest and the smallest, bounded.
std::vector<double> normalized(std::vector<double> s) {
  for (double& v : s) v = std::max(v, kLeast);
  const auto [low, high] = std::minmax_element(s.begin(), s.end());
  const double middle = std::sqrt(*low * *high);
  for (double& v : s) v = std::clamp(v / middle, kLeast, 1 / kLeast);
  return s;
}

struct Products {
  std::span<ir::Node* const> nodes;
  const Moments& judge;
  GroupOptions options;
  std::vector<double> squares;  // of the columns, on the rows that fit

  // Of weights quantized after multiplication by `factors` and divided afterwards.
  Result<double> loss(std::span<const double> factors) const {
    const size_t k = squares.size();
    std::vector<double> importance(k);
    for (size_t j = 0; j < k; ++j)
      importance[j] = squares[j] / (factors[j % factors.size()] * factors[j % factors.size()]);
    double sum = 0;
    for (const ir::Node* node : nodes) {
      const auto w = node->in(1)->elements<float>();
      std::vector<float> scaled(w.size());
      for (size_t i = 0; i < w.size(); ++i)
        scaled[i] = static_cast<float>(w[i] * factors[i % k % factors.size()]);
      GroupOptions o = options;
      o.importance = importance;
      PITH_ASSIGN(const GroupedWeights q, quantize_groups(scaled, w.size() / k, k, o));
      std::vector<float> decoded = q.decoded();
      for (size_t i = 0; i < w.size(); ++i)
        decoded[i] = static_cast<float>(decoded[i] / factors[i % k % factors.size()]);
      sum += proxy_loss(w, decoded, w.size() / k, judge);
    }
    return sum;
  }
};

struct Magnitudes {  // per channel
  std::vector<double> input, input_rms, weight, weight_rms;
};
Magnitudes magnitudes_of(std::span<ir::Node* const> nodes, const Moments& fit, size_t channels) {
  const size_t k = fit.columns();
  std::vector<double> input(k), squares = fit.mean_squares(), weight(k), weight_squares(k);
  size_t rows = 0;
  for (size_t j = 0; j < k; ++j) input[j] = fit.mean_magnitude(j);
  for (const ir::Node* node : nodes) {
    const auto w = node->in(1)->elements<float>();
    for (size_t i = 0; i < w.size(); ++i) {
      weight[i % k] += std::fabs(double{w[i]});
      weight_squares[i % k] += double{w[i]} * w[i];
    }
    rows += w.size() / k;
  }
  const auto root = [](std::vector<double> v, double divisor) {
    for (double& x : v) x = std::sqrt(x / divisor);
    return v;
  };
  for (double& v : weight) v /= static_cast<double>(rows);
  return {over_taps(input, channels), root(over_taps(squares, channels), 1), over_taps(weight, channels),
          root(over_taps(weight_squares, channels), static_cast<double>(rows))};
}

// f(channel) for all of them.
template <class F>
std::vector<double> candidate(size_t channels, F f) {
  std::vector<double> s(channels);
  for (size_t c = 0; c < channels; ++c) s[c] = f(c);
  return normalized(std::move(s));
}

}  // namespace

std::vector<double> over_taps(std::span<const double> columns, size_t channels) {
  std::vector<double> out(channels);
  const size_t taps = columns.size() / channels;
  for (size_t j = 0; j < columns.size(); ++j) out[j % channels] += columns[j] / static_cast<double>(taps);
  return out;
}

Result<ChannelScales> choose_awq_scales(std::span<ir::Node* const> sharing, const ProductMoments& moments,
                                        const GroupOptions& options) {
  for (const ir::Node* node : sharing) {
    PITH_ASSIGN(const ProductMatrix m, product_matrix(*node));
    if (m.columns != moments.fit.columns())
      return Status(Code::bad_argument,
                    "'" + node->name + "' does not read the rows that the moments are of");
  }
  const size_t channels = input_channels(*sharing.front());
  const Magnitudes a = magnitudes_of(sharing, moments.fit, channels);
  const Products products{sharing, moments.judge.rows() > 0 ? moments.judge : moments.fit, options,
                          moments.fit.mean_squares()};
  ChannelScales best;
  best.factors.assign(channels, 1.0);
  PITH_ASSIGN(best.loss_before, products.loss(best.factors));
  best.loss_after = best.loss_before;
  const auto offer = [&](std::vector<double> factors, double parameter) -> Status {
    PITH_ASSIGN(const double loss, products.loss(factors));
    if (loss < best.loss_after)
      best.loss_after = loss, best.factors = std::move(factors), best.parameter = parameter;
    return Status::ok();
  };
  for (int step = 0; step < kRatios; ++step) {
    const double r = static_cast<double>(step) / kRatios;
    if (step > 0)
      PITH_RETURN_IF_ERROR(offer(candidate(channels, [&](size_t c) { return std::pow(a.input[c], r); }), r));
    PITH_RETURN_IF_ERROR(offer(candidate(channels,
                                         [&](size_t c) {
                                           return std::pow(a.input[c], r) /
                                                  std::pow(std::max(a.weight[c], 1e-12), 1 - r);
                                         }),
                               r));
  }
  PITH_RETURN_IF_ERROR(
      offer(candidate(channels,
                      [&](size_t c) { return std::sqrt(a.input_rms[c] / std::max(a.weight_rms[c], 1e-12)); }),
            0.5));
  return best;
}

}  // namespace pith::quantize
