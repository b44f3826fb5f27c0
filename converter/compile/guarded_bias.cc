// Measure, apply, compare, perhaps undo.
#include "converter/compile/guarded_bias.h"

#include <cmath>

#include "converter/compile/runnable.h"

namespace pith {

double decibel_of(double noise_share) { return noise_share > 0 ? -10 * std::log10(noise_share) : INFINITY; }

Result<GuardedBias> correct_bias_if_better(ir::Graph& graph, Session& original, const Feed& feed,
                                           std::span<const int64_t> fit, std::span<const int64_t> held_back,
                                           const eval::ReferenceOutputs& exact, size_t threads) {
  GuardedBias out;
  PITH_ASSIGN(const Runnable before, runnable(graph, threads));
  PITH_ASSIGN(const eval::OutputDistance distance, exact.distance(*before.session));
  out.noise_share = distance.noise_share;
  PITH_ASSIGN(const BiasShifts shifts,
              measure_bias_shifts(graph, original, *before.session, feed, fit, held_back));
  if (shifts.layers.empty()) return out;
  shifts.apply(graph);
  PITH_ASSIGN(const Runnable after, runnable(graph, threads));
  PITH_ASSIGN(const eval::OutputDistance corrected, exact.distance(*after.session));
  const bool kept = corrected.noise_share < out.noise_share;
  out.step = {true, kept, decibel_of(out.noise_share), decibel_of(corrected.noise_share)};
  if (!kept) shifts.undo(graph);
  graph.drop_unused_values();
  if (!kept) return out;
  out.noise_share = corrected.noise_share;
  out.channels = shifts.accepted;
  out.layers = shifts.layers.size();
  return out;
}

}  // namespace pith
