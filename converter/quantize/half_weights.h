// fp16: weights of products are stored as half floats; the device computes in f32.
#pragma once
#include <string>
#include <vector>

#include "converter/ir/graph.h"
#include "converter/quantize/half_audit.h"
#include "converter/quantize/packable.h"

namespace pith::quantize {

struct HalfWeightsReport {
  size_t halved = 0;                 // weight tensors now stored as f16
  std::vector<std::string> refused;  // weights a half cannot hold, with the reason; they stay f32
  HalfAudit audit;                   // over the halved ones
};

// The graph's passes have run. Biases and small constants stay f32: they cost nothing and carry sums.
HalfWeightsReport store_half_weights(ir::Graph& graph, const NodeFilter& wanted = {});

}  // namespace pith::quantize
