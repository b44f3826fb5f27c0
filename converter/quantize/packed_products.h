// Constant weights of matrix products and convolutions in the packed layouts our kernels read
// (kernels/base/panel_layout.h). The last step before emission: nothing else in the converter reads packed bytes.
//
//   pack_grouped_products(graph, {Layout::i4s8, 32}, [&](const ir::Node& n) { return plan.is_int4(n); });
#pragma once
#include <string>
#include <vector>

#include "converter/ir/graph.h"
#include "converter/quantize/packable.h"
#include "converter/quantize/weight_groups.h"
#include "runtime/base/status.h"

namespace pith::quantize {

struct PackedReport {
  size_t packed = 0, float_products = 0;  // of the wanted convolutions and matrix products
  double worst_sqnr_db = 0;               // of the weights of one product, and which
  std::string worst;
  std::vector<std::string> kept_float;  // why
};

// 4-bit weights for every wanted product with constant float weights; its constant bias moves among the packed bytes.
// nothing_packed() when there is no such product.
Result<PackedReport> pack_grouped_products(ir::Graph& graph, const GroupOptions& options,
                                           const NodeFilter& wanted = {});
Status nothing_packed(const PackedReport& report);  // unsupported, with what to do

// 4-bit weights made elsewhere (GPTQ) for padded_rows() of the node's. Errors: as check_packable, and other extents.
Status pack_groups(ir::Graph& graph, ir::Node* node, const GroupedWeights& weights);

// Wanted nodes of int8-dynamic (float input, i8 weights with a scale per output) in layout i8c; the numbers stay the
// same. Returns how many were packed; those that cannot be stay as they are.
Result<size_t> pack_dynamic_products(ir::Graph& graph, const NodeFilter& wanted = {});

// Wanted convolutions of one group and products of 8-bit codes in layout i8c, which the device reads in place; the numbers
// stay the same. Returns how many were packed. Those that cannot be (weights of two zero points, or codes that are no
// multiples -127 .. 127 of the scale) stay as they are, and so do small ones that packing would make larger by more than a
// sixteenth, unless any growth is welcome.
enum class Growth : uint8_t { little, any };
Result<size_t> pack_static_products(ir::Graph& graph, const NodeFilter& wanted = {},
                                    Growth growth = Growth::little);

// Matrix products whose weights are halves (half_weights.h) in layout f16_panel, which the device reads in place instead of
// widening a copy. Weights that something else reads too, or that
// padding would make more than 1/32 larger, stay as they are. Returns how many were packed.
size_t pack_half_products(ir::Graph& graph);
// Whether panels of halves are larger than row-major ones (and a float bias) by no more than a 32nd.
bool worth_half_panels(const PanelMatrix& m, bool bias);

}  // namespace pith::quantize
