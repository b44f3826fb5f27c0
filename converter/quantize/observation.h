// What calibration saw of one tensor, and the grid decided from it.
// Items are split in two: some shape the candidate ranges (`fit`), the others judge them (`judge`).
#pragma once
#include <cstdint>
#include <span>

#include "converter/quantize/histogram.h"
#include "converter/quantize/range_candidates.h"
#include "converter/quantize/reservoir.h"
#include "converter/quantize/tournament.h"
#include "runtime/base/status.h"

namespace pith::quantize {

// About 200 KiB, whatever is added.
struct Observation {
  Histogram fit, judge;
  std::vector<float> fit_extra, judge_extra;  // samples of merged observations
  Reservoir fit_sample{Reservoir::kDefaultCapacity, 1}, judge_sample{Reservoir::kDefaultCapacity, 2};

  void add_fit(std::span<const float> values);
  void add_judge(std::span<const float> values);
  // For tensors that must share one grid. Keeps both samples.
  void merge(const Observation& other);
};

struct RangeDecision {
  Int8Grid grid;
  RangeNote note = RangeNote::regular;
  Tournament tournament;
  double sqnr_db = 0;        // on the judging items; +infinity if exact
  double outside_share = 0;  // of the judging values, beyond the grid by more than half a step
};

// Candidates from `fit`, winner by the mean squared error on `judge`. Refuses non-finite data and data never
// seen.
Result<RangeDecision> decide_range(const Observation& observation, const RangeOptions& options,
                                   const TournamentRules& rules);
// The same bookkeeping for a grid that is given (sigmoid, a range from the user).
Result<RangeDecision> judge_grid(const Observation& observation, const Int8Grid& grid);

}  // namespace pith::quantize
