// Intervals and tests of statistics.h.
#include "converter/eval/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pith::eval {
namespace {

// Standard normal quantile by bisection on erfc: 60 halvings of [-40, 40] leave less than 1e-15.
double normal_quantile(double p) {
  double low = -40, high = 40;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < p ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

// Tango's score statistic for the hypothesis "the drop is d": (b - c - n d) / sqrt(n (2 q + d (1 - d))),
// where q is the maximum likelihood estimate of P(only second right) under the hypothesis, the larger root of
//   2 n q^2 + (-b - c + (2 n - b + c) d) q - c d (1 - d) = 0.
// It falls from +inf to -inf as d goes from -1 to 1.
double tango_score(double b, double c, double n, double d) {
  const double linear = -b - c + (2 * n - b + c) * d;
  const double constant = -c * d * (1 - d);
  const double root = std::sqrt(std::max(0.0, linear * linear - 8 * n * constant));
  const double q = std::max(0.0, (root - linear) / (4 * n));
  const double variance = n * (2 * q + d * (1 - d));
  const double difference = b - c - n * d;
  if (variance <= 0)
    return difference == 0 ? 0 : std::copysign(std::numeric_limits<double>::infinity(), difference);
  return difference / std::sqrt(variance);
}

// The d in [low, high] at which the score passes `target` from above.
double tango_root(double b, double c, double n, double target, double low, double high) {
  for (int i = 0; i < 100; ++i) {
    const double middle = 0.5 * (low + high);
    (tango_score(b, c, n, middle) > target ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

Interval tango_interval(const PairedCounts& counts, double z) {
  const auto n = static_cast<double>(counts.n());
  if (n == 0) return {-1, 1};
  const auto b = static_cast<double>(counts.only_first), c = static_cast<double>(counts.only_second);
  const double drop = counts.drop();
  return {tango_root(b, c, n, z, -1, drop), tango_root(b, c, n, -z, drop, 1)};
}

}  // namespace

double one_sided_z(double confidence) { return normal_quantile(confidence); }
double two_sided_z(double confidence) { return normal_quantile(0.5 + 0.5 * confidence); }

Interval wilson_interval(int64_t hits, int64_t n, double confidence) {
  if (n <= 0) return {0, 1};
  const double z = two_sided_z(confidence), z2 = z * z, count = static_cast<double>(n);
  const double p = static_cast<double>(hits) / count;
  const double center = (p + z2 / (2 * count)) / (1 + z2 / count);
  const double half = z / (1 + z2 / count) * std::sqrt(p * (1 - p) / count + z2 / (4 * count * count));
  // The ends are exactly 0 and 1 when no or every item is a hit; rounding must not say otherwise.
  return {hits == 0 ? 0 : std::max(0.0, center - half), hits == n ? 1 : std::min(1.0, center + half)};
}

Interval paired_interval(const PairedCounts& counts, double confidence) {
  return tango_interval(counts, two_sided_z(confidence));
}

double mcnemar_exact(const PairedCounts& counts) {
  const int64_t m = counts.discordant(), k = std::min(counts.only_first, counts.only_second);
  if (2 * k >= m) return 1;  // as balanced as it can be
  double tail = 0;           // P(X <= k), X ~ binomial(m, 1/2), in logarithms so that no factorial overflows
  const double all = std::lgamma(static_cast<double>(m) + 1) - static_cast<double>(m) * std::log(2.0);
  for (int64_t i = 0; i <= k; ++i)
    tail +=
        std::exp(all - std::lgamma(static_cast<double>(i) + 1) - std::lgamma(static_cast<double>(m - i) + 1));
  return std::min(1.0, 2 * tail);
}

std::optional<int64_t> items_needed(double margin, double drop, double discordant, double confidence) {
  if (!(margin > 0 && margin < 1 && drop < margin)) return std::nullopt;
  const double z = one_sided_z(confidence), gap = margin - drop;
  const double n = std::max(z * z * discordant / (gap * gap), z * z * (1 - margin) / margin);
  if (!(n < 1e15)) return std::nullopt;  // no data set is that large
  return static_cast<int64_t>(std::ceil(n));
}

DropDecision judge_drop(const PairedCounts& counts, double max_drop, double confidence) {
  DropDecision decision;
  decision.drop = counts.drop();
  decision.interval = tango_interval(counts, one_sided_z(confidence));
  if (decision.interval.high < max_drop)
    decision.verdict = DropVerdict::within;
  else if (decision.interval.low > max_drop)
    decision.verdict = DropVerdict::exceeded;
  if (decision.verdict != DropVerdict::undecided || counts.n() == 0) return decision;
  const double share = static_cast<double>(counts.discordant()) / static_cast<double>(counts.n());
  // Towards whichever side the data lean; beyond the limit the same formula certifies the excess.
  const double gap = std::abs(max_drop - decision.drop);
  decision.items_needed = items_needed(max_drop, max_drop - gap, share, confidence);
  // The closed form is an approximation of the interval above: never promise that fewer items than were seen
  // decide.
  if (decision.items_needed) decision.items_needed = std::max(*decision.items_needed, counts.n() + 1);
  return decision;
}

MeanEstimate estimate_mean(std::span<const double> values, double confidence) {
  MeanEstimate out;
  out.n = static_cast<int64_t>(values.size());
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double squares = 0;  // sum of (x - mean)^2, updated item by item (Welford) so that large means lose nothing
  int64_t seen = 0;
  for (double x : values) {
    const double delta = x - out.mean;
    out.mean += delta / static_cast<double>(++seen);
    squares += delta * (x - out.mean);
  }
  if (out.n < 2) {
    out.standard_error = kInfinity;
    out.interval = {-kInfinity, kInfinity};
    return out;
  }
  const auto n = static_cast<double>(out.n);
  out.standard_error = std::sqrt(squares / (n - 1) / n);
  const double half = two_sided_z(confidence) * out.standard_error;
  out.interval = {out.mean - half, out.mean + half};
  return out;
}

}  // namespace pith::eval
