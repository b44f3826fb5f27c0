// Statistics for accepting a compressed model: intervals for a proportion, for the difference of two models
// on the same items, and how many items a decision needs. Closed forms or one-dimensional root finding: no
// random numbers, so the same data give the same report. `confidence` is two-sided, 0 < confidence < 1, 0.95
// unless told.
#pragma once
#include <cstdint>
#include <optional>
#include <span>

namespace pith::eval {

struct Interval {
  double low = 0, high = 0;
};

// The z with P(|N(0, 1)| <= z) = confidence; 1.959964 for 0.95.
double two_sided_z(double confidence);
// The z with P(N(0, 1) <= z) = confidence; 1.644854 for 0.95.
double one_sided_z(double confidence);

// Wilson's score interval for `hits` of `n` (E. B. Wilson, JASA 22, 1927). n = 0: [0, 1].
Interval wilson_interval(int64_t hits, int64_t n, double confidence = 0.95);

// Two models on the same items: how often each is right.
struct PairedCounts {
  int64_t both = 0, only_first = 0, only_second = 0, neither = 0;
  void add(bool first, bool second) {
    ++(first ? (second ? both : only_first) : (second ? only_second : neither));
  }
  int64_t n() const { return both + only_first + only_second + neither; }
  int64_t discordant() const { return only_first + only_second; }
  // Share of items by which the first model is better; the drop if the first is the original.
  double drop() const {
    return n() == 0 ? 0 : static_cast<double>(only_first - only_second) / static_cast<double>(n());
  }
};

// Score interval of drop() for paired proportions (T. Tango, Statistics in Medicine 17, 1998). Unlike drop()
// +- z SE it has a width when no item is discordant: its upper end is then z^2 / (n + z^2). n = 0: [-1, 1].
Interval paired_interval(const PairedCounts& counts, double confidence = 0.95);

// Exact two-sided McNemar test: the probability of at least this imbalance if every discordant item were a
// fair coin.
double mcnemar_exact(const PairedCounts& counts);

enum class DropVerdict : uint8_t {
  within,     // certified: the drop is below the limit
  exceeded,   // certified: the drop is above the limit
  undecided,  // the data cannot decide
};
struct DropDecision {
  DropVerdict verdict = DropVerdict::undecided;
  double drop = 0;
  Interval interval;  // one-sided at `confidence` at each end
  // undecided: how many items would decide if rates stayed as observed; absent when no number would, because
  // the observed drop is at the limit itself.
  std::optional<int64_t> items_needed;
};
// Each end of the interval is a one-sided bound at `confidence`, as a gate "drop < max_drop" asks for.
DropDecision judge_drop(const PairedCounts& counts, double max_drop, double confidence = 0.95);

// Items needed to certify drop < margin, one-sided, when the true drop is `drop` and a share `discordant` of
// the items is right with exactly one model: n >= z^2 discordant / (margin - drop)^2, at least z^2 (1 -
// margin) / margin, which is what no discordant item at all needs. Absent if drop >= margin, or margin is not
// in (0, 1).
std::optional<int64_t> items_needed(double margin, double drop, double discordant, double confidence = 0.95);

// Mean of per-item values (loss, KL, ...) with the normal interval mean +- z s / sqrt(n). Differences of two
// models on the same items are paired by passing a[i] - b[i]. n < 2: the interval is infinite.
struct MeanEstimate {
  double mean = 0, standard_error = 0;
  Interval interval;
  int64_t n = 0;
};
MeanEstimate estimate_mean(std::span<const double> values, double confidence = 0.95);

}  // namespace pith::eval
