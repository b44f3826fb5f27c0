// From float or int8 constants to packed ones; the bytes are made by kernels/gemm/panel_pack.h.
#include "converter/quantize/packed_products.h"

#include "kernels/gemm/panel_pack.h"
#include "runtime/ops/panel_weights.h"

namespace pith::quantize {
namespace {

using schema::Op;

bool is_product(const ir::Node& node) {
  return (node.is(Op::FullyConnectedOptions) || node.is(Op::ConvOptions) ||
          node.is(Op::ConvTransposeOptions)) &&
         node.in(0) != nullptr && node.in(0)->dtype == DType::f32 && node.in(1) != nullptr &&
         node.in(1)->is_constant();
}

// Bias of N floats, empty when there is none.
Result<std::vector<float>> constant_bias(const ir::Node& node) {
  const ir::Value* bias = node.in(2);
  if (bias == nullptr) return std::vector<float>();
  if (!bias->is_constant() || bias->dtype != DType::f32)
    return Status(Code::unsupported, "its bias is not a float constant");
  const auto values = bias->elements<float>();
  return std::vector<float>(values.begin(), values.end());
}

// Replaces weights and bias of the node by one packed constant.
Status replace(ir::Graph& graph, ir::Node* node, const PanelMatrix& matrix, kernels::PanelSource source,
               std::vector<int8_t> codebook) {
  PITH_ASSIGN(const std::vector<float> bias, constant_bias(*node));
  source.bias = bias.empty() ? nullptr : bias.data();
  const ir::Value& weights = *node->in(1);
  uint8_t* bytes = nullptr;
  ir::Bytes owned = ir::new_bytes(static_cast<size_t>(panel_matrix_bytes(matrix)), &bytes);
  kernels::pack_panels(matrix, source, bytes);
  ir::Value* packed =
      graph.add_constant(weights.name, dtype_of(matrix.layout), weights.shape, std::move(owned));
  packed->layout = matrix.layout;
  packed->group = matrix.group;
  packed->codebook = std::move(codebook);
  graph.set_inputs(node, {node->in(0), packed});
  return Status::ok();
}

Result<GroupedWeights> pack_grouped(ir::Graph& graph, ir::Node* node, const GroupOptions& options) {
  const ir::Value& weights = *node->in(1);
  const PanelMatrix m = panel_matrix_of(options.layout, static_cast<uint16_t>(options.group), weights.shape);
  if (const char* fault = panel_fault(m); fault != nullptr) return Status(Code::unsupported, fault);
  PITH_RETURN_IF_ERROR(constant_bias(*node).status());
  PITH_ASSIGN(GroupedWeights q, quantize_groups(weights.elements<float>(), static_cast<size_t>(m.n),
                                                static_cast<size_t>(m.k), options));
  PITH_RETURN_IF_ERROR(replace(graph, node, m, q.source(), q.codebook));
  return q;
}

}  // namespace

Result<PackedReport> pack_grouped_products(ir::Graph& graph, const GroupOptions& options) {
  PackedReport report;
  for (ir::Node* node : graph.in_order()) {
    if (!is_product(*node) || node->in(1)->dtype != DType::f32) continue;
    if (!node->is(Op::FullyConnectedOptions)) {
      ++report.float_products;
      continue;
    }
    const Result<GroupedWeights> q = pack_grouped(graph, node, options);
    if (!q.is_ok()) {
      report.kept_float.push_back("matrix product '" + node->name + "' stays float: " + q.status().message());
      ++report.float_products;
      continue;
    }
    const double sqnr = q.value().sqnr_db();
    if (report.packed == 0 || sqnr < report.worst_sqnr_db)
      report.worst_sqnr_db = sqnr, report.worst = node->name;
    ++report.packed;
  }
  graph.drop_unused_values();
  if (report.packed == 0)
    return Status(
        Code::unsupported,
        format("4-bit weights are for matrix products with constant weights; this model has none (%zu "
               "convolutions or products stay float): use --precision int8 with --calibrate DATA",
               report.float_products));
  return report;
}

Result<size_t> pack_dynamic_products(ir::Graph& graph) {
  size_t packed = 0;
  for (ir::Node* node : graph.in_order()) {
    if (!node->is(Op::FullyConnectedOptions) || !is_product(*node)) continue;
    const ir::Value& weights = *node->in(1);
    const PanelMatrix m = panel_matrix_of(Layout::i8c, 0, weights.shape);
    if (weights.dtype != DType::i8 || !weights.quant || weights.quant->axis != 0 || panel_fault(m) != nullptr)
      continue;
    if (weights.quant->scales.size() != m.n || !constant_bias(*node).is_ok()) continue;
    kernels::PanelSource source;
    source.codes = weights.elements<int8_t>().data();
    source.channel_scale = weights.quant->scales.data();
    PITH_RETURN_IF_ERROR(replace(graph, node, m, source, {}));
    ++packed;
  }
  graph.drop_unused_values();
  return packed;
}

}  // namespace pith::quantize
