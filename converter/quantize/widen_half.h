// Makes a half-precision model ready for int8: inner f16 tensors and f16 weights become f32.
//   before:  conv ─ Cast f16 ─ Concat ─ Cast f32 ─ conv        after:  conv ─ Concat ─ conv
// Drops roundings to half between operators, so results move towards the exact ones. Graph inputs and outputs keep
// their types.
#pragma once
#include <cstddef>

#include "converter/ir/graph.h"
#include "runtime/base/status.h"

namespace pith::quantize {

struct WidenReport {
  size_t activations = 0, weights = 0;
};

// Float passes should run afterwards (activations become fusable), then widen_half_weights: the passes store weights
// that fit as f16 again.
WidenReport widen_half_activations(ir::Graph& graph);
// Constants that convolutions and products read.
enum class Streamed : bool {
  kept,
  widened
};  // weights in a data file of the source, which may be larger than memory
WidenReport widen_half_weights(ir::Graph& graph, Streamed streamed = Streamed::widened);

// Both, with the float passes in between: the form that quantization starts from.
Status widen_half(ir::Graph& graph, Streamed streamed = Streamed::widened);

}  // namespace pith::quantize
