// What became of every layer in the model to ship: bytes, time and error, beside the original's.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "converter/compress/units.h"
#include "converter/data/dataset.h"
#include "converter/eval/metrics.h"
#include "runtime/exec/session.h"

namespace pith::compress {

// Sums over the nodes of a unit; errors are those of its worst node.
struct LayerOutcome {
  uint64_t float_bytes = 0, bytes = 0;  // of constants
  double float_ms = 0, ms = 0;          // least of a few traced runs; 0 where the step has another name
  // Of the layer's result: with the original's values as its input, and as the model runs. Absent without data or where
  // no step of the model stands for the layer.
  std::optional<eval::TensorError> local, cumulative;
};

struct OutcomeInput {
  const std::vector<Unit>& units;
  const ir::Graph &float_graph, &graph;
  Session &original, &model;  // of the two graphs, an item fed
  const data::Dataset& items;
};

// One for each unit.
Result<std::vector<LayerOutcome>> layer_outcomes(const OutcomeInput& input);

// Lower SQNR, or not finite where the other is, or the other absent.
bool is_worse(const eval::TensorError& error, const std::optional<eval::TensorError>& than);

}  // namespace pith::compress
