// Weights [N, ..] in f32 -> i8 with N scales; bias and output stay f32.
#include "converter/quantize/dynamic_int8.h"

#include <cstring>

#include "converter/quantize/weight_quant.h"

namespace pith::quantize {
namespace {

Result<ir::Value*> int8_copy(ir::Graph& graph, const ir::Value& weights) {
  ChannelView view;
  view.values = weights.elements<float>();
  view.channels = static_cast<size_t>(weights.shape[0]);
  view.inner = view.values.size() / view.channels;
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

// Matrix products of any bias: the device can run them unpacked.
Status check_quantizable(const ir::Node& node) {
  const ir::Value& weights = *node.in(1);
  if (!node.is(schema::Op::FullyConnectedOptions)) return check_packable(node, Layout::i8c, 0);
  return weights.shape.rank() == 2 && weights.shape.count() > 0
             ? Status::ok()
             : Status(Code::unsupported, "its weights are empty");
}

Status quantize(ir::Graph& graph, ir::Node* node) {
  PITH_RETURN_IF_ERROR(check_quantizable(*node));
  PITH_ASSIGN(ir::Value * codes, int8_copy(graph, *node->in(1)));
  graph.set_input(node, 1, codes);
  return Status::ok();
}

}  // namespace

Result<DynamicInt8Report> quantize_dynamic_int8(ir::Graph& graph, const NodeFilter& wanted) {
  DynamicInt8Report report;
  FloatNotes notes;
  for (ir::Node* node : graph.in_order()) {
    if (!is_float_activation_product(*node) || node->in(1)->dtype != DType::f32 || !wants(wanted, *node))
      continue;
    const Status done = quantize(graph, node);
    if (!done.is_ok())
      notes.add(*node, done);
    else
      ++report.quantized_products;
  }
  graph.drop_unused_values();
  report.float_products = notes.count();
  report.kept_float = notes.lines();
  if (report.quantized_products == 0)
    return Status(Code::unsupported,
                  format("int8-dynamic quantizes matrix products and convolutions of one group with constant "
                         "weights; this model has none (%zu other products): use --precision int8 with "
                         "--calibrate DATA",
                         report.float_products));
  return report;
}

}  // namespace pith::quantize
