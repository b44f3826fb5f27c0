// Empirical bias correction of an integer graph: b[c] -= E[quantized y[c]] - E[float y[c]], every layer fed with the
// original's values, so that each answers for its own shift alone.
#pragma once
#include <functional>
#include <span>

#include "converter/ir/graph.h"
#include "runtime/exec/session.h"

namespace pith {

struct BiasShift {  // of one layer
  ir::Node* node = nullptr;
  ir::Value* before = nullptr;  // its i32 bias
  ir::Value* after = nullptr;
};
struct BiasShifts {
  std::vector<BiasShift> layers;      // those with at least one accepted channel
  size_t accepted = 0, rejected = 0;  // channels; rejected: would have raised the error on held-back items
  void apply(ir::Graph& graph) const;
  void undo(ir::Graph& graph) const;
};

using Feed = std::function<Status(int64_t item, Session& session)>;

// `graph`: integer, after its passes; `original`: the float model. Nothing in the graph changes until apply().
Result<BiasShifts> measure_bias_shifts(ir::Graph& graph, Session& original, Session& quantized,
                                       const Feed& feed, std::span<const int64_t> fit,
                                       std::span<const int64_t> held_back);

}  // namespace pith
