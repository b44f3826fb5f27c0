// Analytic bias correction of 4-bit layers, without a run of the quantized layer: b[c] += (W - Q)[c] E[x], for the channels of
// which held-back rows gain; kept if the model's outputs come closer. Static int8 has the empirical one (compile/guarded_bias.h).
#pragma once
#include <memory>

#include "converter/compress/learned_rounding.h"

namespace pith::compress {

struct AnalyticBias {
  size_t layers = 0, channels = 0;  // shifted
  GuardedStep step;                 // of the whole model
};

// As learn_rounding(): `model` is replaced when it pays, the maker keeps the shifts then.
Result<AnalyticBias> correct_bias_analytically(const RoundingInput& input, std::unique_ptr<ir::Graph>* model);

}  // namespace pith::compress
