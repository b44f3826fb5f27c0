// Power-of-two histogram: see histogram.h for the contract.
#include "converter/quantize/histogram.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

namespace pith::quantize {
namespace {

// The largest magnitude stays below 2^kIndexBits widths: indices fit int64 with room, and value / width is
// exact in double. It only matters for data far from zero in a narrow band (a constant plus rounding noise).
constexpr int kIndexBits = 30;

int64_t floor_to_index(double v) {
  const auto t = static_cast<int64_t>(v);  // |v| <= 2^kIndexBits
  return t - (static_cast<double>(t) > v ? 1 : 0);
}

struct Scan {
  uint64_t nonzeros = 0, zeros = 0, nans = 0, infinities = 0;
  float low = FLT_MAX, high = -FLT_MAX;  // of the non-zero finite values
};

// Written without branches inside a block, so that the compiler makes vectors of it.
Scan scan(std::span<const float> values) {
  Scan s;
  while (!values.empty()) {
    const auto block = values.first(std::min<size_t>(values.size(), 4096));
    values = values.subspan(block.size());
    uint32_t zeros = 0, nans = 0, infinities = 0;
    for (const float v : block) {
      zeros += v == 0.0f ? 1u : 0u;
      nans += v != v ? 1u : 0u;
      infinities += std::fabs(v) > FLT_MAX ? 1u : 0u;
    }
    s.zeros += zeros;
    s.nans += nans;
    s.infinities += infinities;
    s.nonzeros += block.size() - zeros - nans - infinities;
    for (const float v : block) {
      const bool counts = v != 0.0f && std::fabs(v) <= FLT_MAX;
      s.low = std::min(s.low, counts ? v : FLT_MAX);
      s.high = std::max(s.high, counts ? v : -FLT_MAX);
    }
  }
  return s;
}

}  // namespace

Histogram::Histogram(size_t bin_count)
    : counts_(std::max(bin_count, kMinBins)), sums_(std::max(bin_count, kMinBins)) {}

int64_t Histogram::index_of(double value) const { return floor_to_index(value * inverse_); }

void Histogram::cover(float low, float high) {
  const bool fresh = !has_window();
  const double lo = fresh ? low : std::min(low_, low);
  const double hi = fresh ? high : std::max(high_, high);
  int top = 0;
  std::frexp(std::max(std::fabs(lo), std::fabs(hi)), &top);  // largest magnitude < 2^top
  int exponent = top - kIndexBits;
  if (!fresh) exponent = std::max(exponent, exponent_);
  const auto bins = static_cast<int64_t>(counts_.size());
  const auto span_at = [&](int e) {
    return floor_to_index(std::ldexp(hi, -e)) - floor_to_index(std::ldexp(lo, -e)) + 1;
  };
  while (span_at(exponent) > bins) ++exponent;
  const int64_t first = floor_to_index(std::ldexp(lo, -exponent));
  if (fresh || exponent != exponent_ || first != first_) rebuild(exponent, first);
  low_ = static_cast<float>(lo);
  high_ = static_cast<float>(hi);
}

void Histogram::rebuild(int exponent, int64_t first) {
  if (has_window()) {
    const int shift = exponent - exponent_;  // >= 0; a fold in pairs is a shift of the grid index by one
    std::vector<uint64_t> counts(counts_.size());
    std::vector<double> sums(sums_.size());
    for (size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] == 0) continue;
      const int64_t index =
          (first_ + static_cast<int64_t>(i)) >> std::min(shift, 62);  // arithmetic: rounds down
      const auto to = static_cast<size_t>(index - first);
      counts[to] += counts_[i];
      sums[to] += sums_[i];
    }
    counts_.swap(counts);
    sums_.swap(sums);
  }
  exponent_ = exponent;
  first_ = first;
  width_ = std::ldexp(1.0, exponent);
  inverse_ = std::ldexp(1.0, -exponent);
}

void Histogram::add(std::span<const float> values) {
  const Scan s = scan(values);
  zeros_ += s.zeros;
  nans_ += s.nans;
  infinities_ += s.infinities;
  if (s.nonzeros == 0) return;
  cover(s.low, s.high);
  nonzeros_ += s.nonzeros;
  for (const float v : values) {
    if (v == 0.0f || !(std::fabs(v) <= FLT_MAX)) continue;
    const double x = v;
    const auto i = static_cast<size_t>(index_of(x) - first_);
    ++counts_[i];
    sums_[i] += x;
    sum_ += x;
    square_sum_ += x * x;
  }
}

void Histogram::merge(const Histogram& other) {
  if (&other == this) {
    const Histogram copy = other;
    merge(copy);
    return;
  }
  zeros_ += other.zeros_;
  nans_ += other.nans_;
  infinities_ += other.infinities_;
  sum_ += other.sum_;
  square_sum_ += other.square_sum_;
  if (other.nonzeros_ == 0) return;
  cover(other.low_, other.high_);
  if (other.exponent_ > exponent_)  // the other has fewer bins: its grid is the finest we know
    rebuild(other.exponent_, first_ >> std::min(other.exponent_ - exponent_, 62));
  nonzeros_ += other.nonzeros_;
  const int shift = std::min(exponent_ - other.exponent_, 62);
  for (size_t i = 0; i < other.counts_.size(); ++i) {
    if (other.counts_[i] == 0) continue;
    const auto to = static_cast<size_t>(((other.first_ + static_cast<int64_t>(i)) >> shift) - first_);
    counts_[to] += other.counts_[i];
    sums_[to] += other.sums_[i];
  }
}

float Histogram::min() const {
  if (nonzeros_ == 0) return 0.0f;
  return zeros_ > 0 ? std::min(low_, 0.0f) : low_;
}

float Histogram::max() const {
  if (nonzeros_ == 0) return 0.0f;
  return zeros_ > 0 ? std::max(high_, 0.0f) : high_;
}

double Histogram::mean() const { return empty() ? 0.0 : sum_ / static_cast<double>(count()); }

double Histogram::second_moment() const { return empty() ? 0.0 : square_sum_ / static_cast<double>(count()); }

std::vector<Bin> Histogram::bins() const {
  std::vector<Bin> out;
  if (nonzeros_ == 0) return out;
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    const double lower = static_cast<double>(first_ + static_cast<int64_t>(i)) * width_;
    out.push_back({lower, width_, counts_[i], sums_[i]});
  }
  return out;
}

double Histogram::quantile(double p) const {
  if (empty()) return 0.0;
  if (p <= 0.0) return min();
  if (p >= 1.0) return max();
  const double target = p * static_cast<double>(count());
  double below = 0;
  bool zeros_passed = zeros_ == 0;
  const auto clamped = [this](double v) { return std::clamp(v, double{min()}, double{max()}); };
  for (const Bin& bin : bins()) {
    if (!zeros_passed && bin.lower >= 0.0) {
      below += static_cast<double>(zeros_);
      zeros_passed = true;
      if (below >= target) return 0.0;
    }
    const auto mass = static_cast<double>(bin.count);
    if (below + mass >= target) return clamped(bin.lower + bin.width * (target - below) / mass);
    below += mass;
  }
  return zeros_passed ? double{max()} : 0.0;
}

}  // namespace pith::quantize
