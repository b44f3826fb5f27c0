// FullyConnected w[N, K] in f32 -> i8 with N scales; bias and output stay f32.
#include "converter/quantize/dynamic_int8.h"

#include <cstring>

#include "converter/quantize/weight_quant.h"

namespace pith::quantize {
namespace {

using schema::Op;

bool is_float_product(const ir::Node& node) {
  return (node.is(Op::FullyConnectedOptions) || node.is(Op::ConvOptions) ||
          node.is(Op::ConvTransposeOptions)) &&
         node.in(0) != nullptr && node.in(0)->dtype == DType::f32 && node.in(1) != nullptr &&
         node.in(1)->is_constant() && node.in(1)->dtype == DType::f32;
}

Result<ir::Value*> int8_copy(ir::Graph& graph, const ir::Value& weights) {
  ChannelView view;
  view.values = weights.elements<float>();
  view.channels = static_cast<size_t>(weights.shape[0]);
  view.inner = static_cast<size_t>(weights.shape[1]);
  WeightOptions options;
  options.rule = ScaleRule::mse;
  PITH_ASSIGN(const QuantizedWeights q, quantize_weights(view, options));
  uint8_t* bytes = nullptr;
  ir::Bytes owned = ir::new_bytes(q.codes.size(), &bytes);
  std::memcpy(bytes, q.codes.data(), q.codes.size());
  ir::Value* codes = graph.add_constant(weights.name, DType::i8, weights.shape, std::move(owned));
  ir::Quant quant;
  quant.scales = q.scales;
  quant.zero_points.assign(q.scales.size(), 0);
  quant.axis = 0;
  codes->quant = std::move(quant);
  return codes;
}

}  // namespace

Result<DynamicInt8Report> quantize_dynamic_int8(ir::Graph& graph) {
  DynamicInt8Report report;
  for (ir::Node* node : graph.in_order()) {
    if (!is_float_product(*node)) continue;
    const ir::Value& weights = *node->in(1);
    if (!node->is(Op::FullyConnectedOptions) || weights.shape.rank() != 2 || weights.shape.count() == 0) {
      ++report.float_products;
      continue;
    }
    const Result<ir::Value*> codes = int8_copy(graph, weights);
    if (!codes.is_ok()) {  // not finite
      report.kept_float.push_back("matrix product '" + node->name +
                                  "' stays float: " + codes.status().message());
      ++report.float_products;
      continue;
    }
    graph.set_input(node, 1, codes.value());
    ++report.quantized_products;
  }
  graph.drop_unused_values();
  if (report.quantized_products == 0)
    return Status(
        Code::unsupported,
        format("int8-dynamic quantizes matrix products with constant weights; this model has none (%zu "
               "convolutions): use --precision int8 with --calibrate DATA",
               report.float_products));
  return report;
}

}  // namespace pith::quantize
