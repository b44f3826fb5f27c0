// AdaRound for the layers of the chosen model that need it: whose product loses more than 1e-4 of its power (40 dB) to the
// rounding of its weights. Codes of int8 and linear 4-bit layers move by the error of the product (quantize/adaround.h); a layer
// keeps its new codes if rows that made none of them lose less, the model keeps all of them if its outputs come closer.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "converter/compile/guarded_bias.h"
#include "converter/compress/mixed_model.h"
#include "converter/eval/reference_outputs.h"

namespace pith::compress {

struct LayerRounding {
  std::string node;
  double loss_before = 0, loss_after = 0;  // share of the product's power, on held-back rows
  size_t moved = 0;                        // codes
  bool kept = false;
  std::string note;  // why it was not tried or not kept; "" when kept
};

struct RoundingReport {
  std::vector<LayerRounding> layers;  // int8 and int4 ones of the plan, in its order
  GuardedStep step;                   // of the whole model
};

struct RoundingInput {
  MixedModel& maker;  // its ladders get the codes that are kept
  const PrecisionPlan& plan;
  const quantize::ItemSource& source;
  const eval::ReferenceOutputs& exact;  // on items that judge
  int64_t max_items = 256;
  size_t threads = 1;
  std::function<void(int64_t done, int64_t total)> progress;
};

// Share of noise in the outputs of a graph, on the items that judge.
Result<double> noise_of(const RoundingInput& input, const ir::Graph& graph);

// `model`: made from the plan, not packed; replaced when rounding pays.
Result<RoundingReport> learn_rounding(const RoundingInput& input, std::unique_ptr<ir::Graph>* model);

}  // namespace pith::compress
