// Constant weights of matrix products in the packed layouts our kernels read (kernels/base/panel_layout.h). The last step
// before emission: nothing else in the converter reads packed bytes.
#pragma once
#include <string>
#include <vector>

#include "converter/ir/graph.h"
#include "converter/quantize/weight_groups.h"
#include "runtime/base/status.h"

namespace pith::quantize {

struct PackedReport {
  size_t packed = 0, float_products = 0;  // matrix products; float_products counts convolutions too
  double worst_sqnr_db = 0;               // of the weights of one product, and which
  std::string worst;
  std::vector<std::string> kept_float;  // why, per product that might have been packed
};

// 4-bit weights for every FullyConnected with constant float weights; its constant bias moves among the packed bytes.
// unsupported when there is no such product.
Result<PackedReport> pack_grouped_products(ir::Graph& graph, const GroupOptions& options);

// FullyConnected nodes of int8-dynamic (float input, i8 weights with a scale per output) in layout i8c; the numbers stay the
// same. Returns how many were packed; those too deep for i32 sums stay as they are.
Result<size_t> pack_dynamic_products(ir::Graph& graph);

}  // namespace pith::quantize
