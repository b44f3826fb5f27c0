// Picks one range per tensor: every candidate is scored on values that took no part in making it.
//   Tournament t = ...run_tournament(candidates.ranges, [&](const Int8Grid& g) { return
//   quantization_mse(held_back, g); })
// The whole table is kept, so a report can say who won, by how much, and what min-max would have cost.
#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "converter/quantize/range_candidates.h"
#include "converter/quantize/weighted_points.h"
#include "runtime/base/status.h"

namespace pith::quantize {

// Error of quantizing the tensor on this grid; smaller is better. May be the tensor's own error or, better,
// the error it causes in the output of the layer that reads it.
using ErrorOf = std::function<double(const Int8Grid&)>;

struct ScoredRange {
  RangeCandidate candidate;
  double error = 0;  // infinite if the callback gave NaN
};

struct Tournament {
  std::vector<ScoredRange> entries;  // in the order given
  size_t winner = 0;
  double margin = 1;  // error of the best loser / error of the winner; 1 if there is none, infinite if exact
  double gain_over_first = 1;  // error of the first entry (min-max) / error of the winner
  const ScoredRange& best() const { return entries[winner]; }
};

struct TournamentRules {
  // The first entry (min-max, which never clips) keeps the title unless another's error is below its own
  // times this.
  double must_beat_first_by = 1.0;
};

// Ties go to the earlier candidate. Refuses an empty list and a table in which every error is NaN or
// infinite.
Result<Tournament> run_tournament(const std::vector<RangeCandidate>& candidates, const ErrorOf& error_of,
                                  const TournamentRules& rules = {});

// Signal-to-quantization-noise ratio in dB; +infinity if exact, 0 for a silent signal with no error to speak
// of.
double sqnr_db(double signal_power, double error_power);

}  // namespace pith::quantize
