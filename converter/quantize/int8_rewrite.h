// The rewriting half of static int8: constants -> codes, and Q / DQ pairs at the edges of the int8 region.
#pragma once
#include <vector>

#include "converter/ir/graph.h"
#include "converter/quantize/int8_plan.h"
#include "converter/quantize/weight_quant.h"
#include "runtime/base/status.h"

namespace pith::quantize {

// A product's constants as codes; made before the graph is touched, because making them can fail.
struct ProductCodes {
  ir::Node* node = nullptr;
  QuantizedWeights weights;
  std::vector<int32_t> bias;       // empty: none
  std::vector<float> bias_scales;  // one per channel
};

// Channels are axis 0 of the weights in every product operator. Errors name the channel (see bias_quant.h).
// `per_channel` false: one scale for all channels, the largest any of them needs.
Result<ProductCodes> encode_product(ir::Node* node, const Int8Grid& input, ScaleRule rule,
                                    bool per_channel = true);

// grids[i] belongs to plan.groups[i]. Cannot fail.
void rewrite_int8(ir::Graph& graph, const Int8Plan& plan, const std::vector<Int8Grid>& grids,
                  const std::vector<ProductCodes>& products);

}  // namespace pith::quantize
