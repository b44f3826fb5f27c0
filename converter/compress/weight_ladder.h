// The never-worse ladder of 4-bit weights: every layer tries each method that applies to it, held-back data judge, the
// winner's codes are kept. With calibration the measure is what the product loses, E|(W - Q) x|^2 over rows x that made
// none of the codes; without, the squared error of the weights. The plain rounding is always on the ladder, so that the
// winner's margin is known and never negative.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "converter/compress/layer_format.h"
#include "converter/compress/units.h"
#include "converter/quantize/calibrate.h"
#include "converter/quantize/weight_method.h"

namespace pith::compress {

using quantize::name_of;
using quantize::parse_weight_method;
using quantize::WeightMethod;

struct Rung {
  WeightMethod method = WeightMethod::plain;
  double loss = 0;      // share of the product's (or the weights') power
  std::string note;     // of GPTQ: damping, dead inputs
  std::string failure;  // not empty: no codes, and why
};

struct LadderResult {
  std::vector<Rung> rungs;  // in the order tried
  size_t winner = 0;
  bool judged_on_held_back = false;
  quantize::GroupedWeights weights;
};
using NodeLadders = std::map<LayerFormat, LadderResult>;
using Ladders = std::map<std::string, NodeLadders>;  // by node

struct LadderOptions {
  std::optional<WeightMethod> only;  // one method instead of the ladder
  int64_t max_items = 256;
  size_t threads = 1;
  std::function<void(int64_t done, int64_t total)> progress;
};

// For every node of the units and every 4-bit format it offers. `graph`: float, unchanged afterwards. A source without
// items: judged by weights.
Result<Ladders> climb_ladders(ir::Graph& graph, const std::vector<Unit>& units,
                              const quantize::ItemSource& source, const LadderOptions& options);

}  // namespace pith::compress
