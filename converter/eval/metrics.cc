// Ranks, accuracies, tensor distances and divergences.
#include "converter/eval/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pith::eval {
namespace {

using ll = long long;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kFloor = 1e-12;  // smallest Q in a divergence

bool has_nan(std::span<const float> values) {
  return std::any_of(values.begin(), values.end(), [](float v) { return std::isnan(v); });
}

// x[i] - log(sum exp x): logarithms of the softmax.
std::vector<double> log_softmax(std::span<const float> x) {
  const double top = static_cast<double>(*std::max_element(x.begin(), x.end()));
  double sum = 0;
  for (float v : x) sum += std::exp(static_cast<double>(v) - top);
  std::vector<double> out;
  for (float v : x) out.push_back(static_cast<double>(v) - top - std::log(sum));
  return out;
}

double sum_of(std::span<const float> values) {
  double sum = 0;
  for (float v : values) sum += v < 0 ? kNaN : static_cast<double>(v);
  return sum;
}

}  // namespace

int64_t rank_of_label(std::span<const float> scores, int64_t label) {
  if (has_nan(scores)) return -1;
  const auto own_index = static_cast<size_t>(label);
  const float own = scores[own_index];
  int64_t rank = 0;
  for (size_t i = 0; i < scores.size(); ++i)
    if (scores[i] > own || (scores[i] == own && i < own_index)) ++rank;
  return rank;
}

int64_t predicted_class(std::span<const float> scores) {
  if (scores.empty() || has_nan(scores)) return -1;
  return std::max_element(scores.begin(), scores.end()) - scores.begin();
}

Status ClassificationMetrics::add(std::span<const float> scores, int64_t label) {
  const auto count = static_cast<int64_t>(scores.size());
  if (right_.empty()) per_class_.resize(scores.size());
  if (count != classes())
    return Status(Code::bad_argument,
                  format("item %lld has %lld scores, the items before it %lld; expected one score "
                         "per class",
                         static_cast<ll>(items()), static_cast<ll>(count), static_cast<ll>(classes())));
  if (label < 0 || label >= count)
    return Status(Code::bad_argument,
                  format("item %lld has label %lld, the model gives %lld scores; expected a label "
                         "from 0 to %lld: do the data belong to this model?",
                         static_cast<ll>(items()), static_cast<ll>(label), static_cast<ll>(count),
                         static_cast<ll>(count - 1)));
  const int64_t rank = rank_of_label(scores, label);
  nan_items_ += rank < 0 ? 1 : 0;
  top5_hits_ += rank >= 0 && rank < 5 ? 1 : 0;
  right_.push_back(rank == 0);
  Proportion& own = per_class_[static_cast<size_t>(label)];
  ++own.n;
  own.hits += rank == 0 ? 1 : 0;
  return Status::ok();
}

Proportion ClassificationMetrics::within(int k) const {
  Proportion p{0, items()};
  p.hits = k == 1 ? static_cast<int64_t>(std::count(right_.begin(), right_.end(), true)) : top5_hits_;
  return p;
}

int64_t ClassificationMetrics::worst_class() const {
  int64_t worst = -1;
  for (int64_t c = 0; c < classes(); ++c) {
    const Proportion& p = per_class_[static_cast<size_t>(c)];
    if (p.n == 0) continue;
    if (worst < 0) {
      worst = c;
      continue;
    }
    const Proportion& best = per_class_[static_cast<size_t>(worst)];
    if (p.value() < best.value() || (p.value() == best.value() && p.n > best.n)) worst = c;
  }
  return worst;
}

Result<PairedCounts> pair_models(const ClassificationMetrics& first, const ClassificationMetrics& second) {
  if (first.items() != second.items())
    return Status(Code::bad_argument,
                  format("cannot pair %lld items with %lld: both models must see the same items",
                         static_cast<ll>(first.items()), static_cast<ll>(second.items())));
  PairedCounts counts;
  for (size_t i = 0; i < first.right().size(); ++i) counts.add(first.right()[i], second.right()[i]);
  return counts;
}

const char* name_of(Fidelity fidelity) {
  switch (fidelity) {
    case Fidelity::normal:
      return "normal";
    case Fidelity::identical:
      return "identical";
    case Fidelity::silent:
      return "silent";
    case Fidelity::not_finite:
      return "not finite";
  }
  return "unknown";
}

Status TensorError::add(std::span<const float> reference, std::span<const float> actual) {
  if (reference.size() != actual.size())
    return Status(Code::bad_argument,
                  format("cannot compare %zu values with %zu", reference.size(), actual.size()));
  for (size_t i = 0; i < reference.size(); ++i, ++count_) {
    const double r = static_cast<double>(reference[i]), a = static_cast<double>(actual[i]);
    if (!std::isfinite(r) || !std::isfinite(a)) {
      if (!(r == a || (std::isnan(r) && std::isnan(a))))
        ++not_finite_;  // the same infinity on both sides is no error
      continue;
    }
    const double error = std::abs(r - a);
    signal_ += r * r;
    actual_ += a * a;
    dot_ += r * a;
    noise_ += error * error;
    shift_ += a - r;
    max_abs_reference_ = std::max(max_abs_reference_, std::abs(r));
    if (error > max_abs_error_) {
      max_abs_error_ = error;
      worst_element_ = count_;
    }
  }
  return Status::ok();
}

Fidelity TensorError::fidelity() const {
  if (not_finite_ > 0) return Fidelity::not_finite;
  if (max_abs_error_ == 0) return Fidelity::identical;
  return max_abs_reference_ == 0 ? Fidelity::silent : Fidelity::normal;
}

double TensorError::cosine() const {
  if (signal_ == 0 && actual_ == 0) return 1;  // two silences agree
  if (signal_ == 0 || actual_ == 0) return 0;
  return dot_ / std::sqrt(signal_) / std::sqrt(actual_);
}

double TensorError::sqnr_db() const {
  if (noise_ == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal_ / noise_);
}

double TensorError::mean_shift() const { return count_ == 0 ? 0 : shift_ / static_cast<double>(count_); }

double kl_of_logits(std::span<const float> reference, std::span<const float> actual) {
  if (reference.empty() || reference.size() != actual.size() || has_nan(reference) || has_nan(actual))
    return kNaN;
  const std::vector<double> p = log_softmax(reference), q = log_softmax(actual);
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    const double weight = std::exp(p[i]);
    if (weight > 0) sum += weight * (p[i] - q[i]);
  }
  return sum < 0 ? 0 : sum;  // never negative in exact arithmetic; NaN stays NaN
}

double kl_of_probabilities(std::span<const float> reference, std::span<const float> actual) {
  if (reference.size() != actual.size()) return kNaN;
  const double p_sum = sum_of(reference), q_sum = sum_of(actual);
  if (!(p_sum > 0 && q_sum > 0)) return kNaN;
  double sum = 0;
  for (size_t i = 0; i < reference.size(); ++i) {
    const double p = static_cast<double>(reference[i]) / p_sum;
    const double q = std::max(static_cast<double>(actual[i]) / q_sum, kFloor);
    if (p > 0) sum += p * std::log(p / q);
  }
  return sum < 0 ? 0 : sum;
}

bool are_probabilities(std::span<const float> scores) {
  double sum = 0;
  for (const float v : scores) {
    if (!(v >= 0)) return false;
    sum += static_cast<double>(v);
  }
  return std::fabs(sum - 1) < 1e-3;
}

double kl_of_scores(std::span<const float> reference, std::span<const float> actual) {
  return are_probabilities(reference) ? kl_of_probabilities(reference, actual)
                                      : kl_of_logits(reference, actual);
}

}  // namespace pith::eval
