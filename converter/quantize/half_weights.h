// fp16, bf16: weights of products are stored in 16 bits; the device computes in f32.
#pragma once
#include <string>
#include <vector>

#include "converter/ir/graph.h"
#include "converter/quantize/half_audit.h"
#include "converter/quantize/packable.h"

namespace pith::quantize {

struct HalfWeightsReport {
  size_t halved = 0;                 // weight tensors now stored in 16 bits
  std::vector<std::string> refused;  // weights the type cannot hold, with the reason; they stay f32
  HalfAudit audit;                   // over the halved ones
};

// The graph's passes have run. Biases and small constants stay f32: they cost nothing and carry sums.
// `type`: f16 or bf16.
HalfWeightsReport store_half_weights(ir::Graph& graph, const NodeFilter& wanted = {},
                                     DType type = DType::f16);

}  // namespace pith::quantize
