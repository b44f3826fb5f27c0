// Candidate ranges for one activation tensor: min-max, percentiles, Kullback-Leibler, mean squared error.
//   PITH_ASSIGN(RangeCandidates c, range_candidates(histogram, reservoir.values(), {}));
// None of them is best everywhere (published swings reach 50 points of accuracy): a tournament picks
// (tournament.h).
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "converter/quantize/histogram.h"
#include "converter/quantize/int8_grid.h"
#include "converter/quantize/weighted_points.h"
#include "runtime/base/status.h"

namespace pith::quantize {

enum class RangeMethod : uint8_t { min_max, percentile, kl, mse };
const char* name_of(RangeMethod method);

struct RangeCandidate {
  RangeMethod method = RangeMethod::min_max;
  double percent = 0;  // percentile only: 99.9 keeps 99.9 % of the values
  double low = 0, high = 0;
  Int8Grid grid;
  std::string label() const;  // "min_max", "percentile_99.99"
};

// What the data look like; everything but `regular` has the min-max candidate only.
enum class RangeNote : uint8_t { regular, empty, all_zero, constant, tiny };
const char* name_of(RangeNote note);

struct RangeOptions {
  Symmetry symmetry = Symmetry::asymmetric;
  std::vector<double> percents = {99.9, 99.99, 99.999};
  bool kl = true;
  bool mse = true;
  // Nothing else stands to choose, not even min-max (whoever wants one method for all tensors says so; it may hurt).
  std::optional<RangeMethod> sole = std::nullopt;
};

struct RangeCandidates {
  std::vector<RangeCandidate> ranges;  // never empty; min-max first
  RangeNote note = RangeNote::regular;
};

// Refuses data with NaN or infinities and percents outside [50, 100]; the caller adds the tensor's name.
Result<RangeCandidates> range_candidates(const Histogram& histogram, std::span<const float> sample,
                                         const RangeOptions& options);

// |x| on bins of equal width from 0; what the one-threshold methods work on. Zeros are left out.
struct FoldedHistogram {
  double width = 0;
  std::vector<double> mass;
};
FoldedHistogram fold(const Histogram& histogram, size_t max_bins);

// Threshold T on |x| that loses least information with `levels` equal steps on [0, T] (compression note
// 3(a)).
double kl_threshold(const FoldedHistogram& folded, size_t levels);

struct Interval {
  double low = 0, high = 0;
};
// [low, high] inside `full` (extended to hold 0) with the least quantization_mse; never worse than `full`
// itself.
Interval least_mse_range(const WeightedPoints& points, Interval full, Symmetry symmetry);

}  // namespace pith::quantize
