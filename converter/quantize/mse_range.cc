// Searches the range with the least mean squared quantization error over a weighted sample of the tensor.
// The error is smooth at large and jagged at the size of a code, so: line searches over octaves of shrinking
// (both ends, only the low, only the high), then a pattern search of the best with halving steps. About 350
// evaluations.
#include <algorithm>
#include <array>
#include <cmath>

#include "converter/quantize/range_candidates.h"

namespace pith::quantize {
namespace {

constexpr int kStepsPerOctave = 8;
constexpr int kOctaves = 10;  // outliers up to 1000 times the bulk

class Search {
 public:
  Search(const WeightedPoints& points, Interval full, Symmetry symmetry)
      : points_(points), full_{std::min(full.low, 0.0), std::max(full.high, 0.0)}, symmetry_(symmetry) {
    best_error_ = error_at(0, 0);
  }

  // Shrinks both ends together (1, 1), or one of them, in steps of 2^(1/8) from the full range.
  void line(int low_step, int high_step) {
    for (int i = 1; i <= kOctaves * kStepsPerOctave; ++i) {
      const double octaves = static_cast<double>(i) / kStepsPerOctave;
      try_at(low_step * octaves, high_step * octaves);
    }
  }

  void refine() {
    constexpr std::array<std::array<double, 2>, 6> kMoves = {
        {{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, -1}}};
    for (double step = 0.5; step >= 1.0 / 256; step /= 2) {
      for (int round = 0; round < 4; ++round) {  // bounded: a jagged valley may be walked for long
        bool moved = false;
        for (const auto& move : kMoves) moved |= try_at(low_ + move[0] * step, high_ + move[1] * step);
        if (!moved) break;
      }
    }
  }

  Interval best() const { return at(low_, high_); }

 private:
  // Ends divided by 2^low and 2^high; never outside the full range.
  Interval at(double low, double high) const {
    return {full_.low * std::exp2(-low), full_.high * std::exp2(-high)};
  }

  double error_at(double low, double high) const {
    const Interval range = at(low, high);
    const Result<GridChoice> choice = grid_for_range(range.low, range.high, symmetry_);
    return choice.is_ok() ? quantization_mse(points_, choice.value().grid) : INFINITY;
  }

  bool try_at(double low, double high) {
    if (low < 0 || high < 0) return false;
    const double error = error_at(low, high);
    if (!(error < best_error_)) return false;
    best_error_ = error;
    low_ = low;
    high_ = high;
    return true;
  }

  const WeightedPoints& points_;
  Interval full_;
  Symmetry symmetry_;
  double low_ = 0, high_ = 0;  // octaves by which each end is pulled in
  double best_error_ = 0;
};

}  // namespace

Interval least_mse_range(const WeightedPoints& points, Interval full, Symmetry symmetry) {
  Search search(points, full, symmetry);
  search.line(1, 1);
  if (symmetry == Symmetry::asymmetric && full.low < 0 && full.high > 0) {
    search.line(1, 0);
    search.line(0, 1);
  }
  search.refine();
  return search.best();
}

}  // namespace pith::quantize
