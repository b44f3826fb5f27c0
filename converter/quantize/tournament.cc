// Scores range candidates and keeps the table.
#include "converter/quantize/tournament.h"

#include <cmath>

namespace pith::quantize {
namespace {

double ratio(double loser, double winner) {
  if (winner > 0) return loser / winner;
  return loser > 0 ? INFINITY : 1.0;
}

}  // namespace

Result<Tournament> run_tournament(const std::vector<RangeCandidate>& candidates, const ErrorOf& error_of,
                                  const TournamentRules& rules) {
  if (candidates.empty()) return Status(Code::bad_argument, "range tournament without candidates");
  Tournament t;
  for (const RangeCandidate& c : candidates) {
    const double error = error_of(c.grid);
    t.entries.push_back({c, std::isnan(error) ? INFINITY : error});
  }
  const double first = t.entries[0].error;
  const double bar = first * rules.must_beat_first_by;
  for (size_t i = 1; i < t.entries.size(); ++i) {
    const double error = t.entries[i].error;
    if (error < t.entries[t.winner].error && (error < bar || std::isinf(first))) t.winner = i;
  }
  const double least = t.best().error;
  if (std::isinf(least))
    return Status(
        Code::bad_argument,
        format("none of %zu range candidates gave a finite error on the held-back data", candidates.size()));
  double runner_up = INFINITY;
  for (size_t i = 0; i < t.entries.size(); ++i)
    if (i != t.winner) runner_up = std::fmin(runner_up, t.entries[i].error);
  t.margin = t.entries.size() > 1 ? ratio(runner_up, least) : 1.0;
  t.gain_over_first = ratio(first, least);
  return t;
}

double sqnr_db(double signal_power, double error_power) {
  if (!(error_power > 0)) return signal_power > 0 ? INFINITY : 0.0;
  if (!(signal_power > 0)) return -INFINITY;
  return 10.0 * std::log10(signal_power / error_power);
}

}  // namespace pith::quantize
