// Two model files side by side: which operators they share by name, and in what those differ.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "converter/inspect/model_nodes.h"
#include "converter/inspect/weight_distance.h"

namespace pith::inspect {

struct WeightsDiff {  // one constant of rank 2 or more that both nodes read
  size_t input = 0;
  std::string form[2];
  uint64_t bytes[2] = {}, count = 0;
  bool same = false;  // the same bytes
  std::optional<WeightDistance>
      distance;  // from the first to the second; absent where `same`, or where `missing` says why
  std::string missing;
};

struct NodeDiff {
  std::string name, op[2], precision[2];
  std::vector<std::string>
      changes;  // "operator", "options", "inputs", "outputs", "constants"; not the weights
  std::vector<WeightsDiff> weights;
  bool same() const;
};

struct ModelDiff {
  std::vector<const ModelNode*> only[2];
  std::vector<NodeDiff> common;  // in the order of the first
  bool same_order = true;        // of the common ones
  bool same_interface = true;    // names, types and shapes of inputs and outputs
  bool same() const;             // program and weights; metadata play no part
};

// `fit`: the float models they were quantized from differ by scale moved between layers (weight_distance.h).
Result<ModelDiff> diff_models(const Model& a, const std::vector<ModelNode>& a_nodes, const Model& b,
                              const std::vector<ModelNode>& b_nodes, bool fit);

}  // namespace pith::inspect
