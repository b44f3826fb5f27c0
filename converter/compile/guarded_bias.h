// Bias correction behind a guard: kept only if the model's outputs come closer to the original's.
#pragma once
#include <span>

#include "converter/compile/int8_bias.h"
#include "converter/eval/reference_outputs.h"

namespace pith {

struct GuardedStep {  // an optional step and what it did to the outputs' error
  bool tried = false, kept = false;
  double sqnr_before_db = 0, sqnr_after_db = 0;  // of the model's outputs, on the judging items
};
// -10 log10; infinity without noise.
double decibel_of(double noise_share);

struct GuardedBias {
  GuardedStep step;                 // not tried: no layer had a shift worth correcting
  size_t layers = 0, channels = 0;  // corrected, if kept
  double noise_share = 0;           // of the outputs afterwards
};

// `graph`: integer, after its passes, changed only if kept. `original`: the float model it was made from. `exact`: the
// answers that judge. The shifts are measured on `fit` and accepted channel by channel on `held_back`.
Result<GuardedBias> correct_bias_if_better(ir::Graph& graph, Session& original, const Feed& feed,
                                           std::span<const int64_t> fit, std::span<const int64_t> held_back,
                                           const eval::ReferenceOutputs& exact, size_t threads);

}  // namespace pith
