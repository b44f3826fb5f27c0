// Storing weights as f16.
#pragma once
#include "converter/ir/graph.h"

namespace pith {

// True when the device takes an f16 constant at this input (and computes in f32).
bool reads_half_weights(const ir::Node& node, size_t input);
// The f32 constant rounded to f16 or bf16 (nearest even).
ir::Value* half_copy(ir::Graph& graph, const ir::Value& v, DType type = DType::f16);

}  // namespace pith
