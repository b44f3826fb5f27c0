// From float or int8 constants to packed ones; the bytes are made by kernels/gemm/panel_pack.h.
#include "converter/quantize/packed_products.h"

#include "kernels/gemm/panel_pack.h"
#include "runtime/ops/panel_weights.h"

namespace pith::quantize {
namespace {

// Replaces weights and bias of the node by one packed constant.
void replace(ir::Graph& graph, ir::Node* node, const PanelMatrix& matrix, kernels::PanelSource source,
             std::vector<int8_t> codebook) {
  if (const ir::Value* bias = node->in(2); bias != nullptr) source.bias = bias->elements<float>().data();
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
}

PanelMatrix matrix_of(const ir::Node& node, Layout layout, size_t group) {
  return panel_matrix_of(layout, static_cast<uint16_t>(group), node.in(1)->shape);
}

Result<GroupedWeights> pack_grouped(ir::Graph& graph, ir::Node* node, const GroupOptions& options) {
  PITH_RETURN_IF_ERROR(check_packable(*node, options.layout, options.group));
  const PanelMatrix m = matrix_of(*node, options.layout, options.group);
  const std::vector<float> rows = rows_of_weights<float>(*node->in(1));
  PITH_ASSIGN(GroupedWeights q,
              quantize_groups(rows, static_cast<size_t>(m.n), static_cast<size_t>(m.k), options));
  replace(graph, node, m, q.source(), q.codebook);
  return q;
}

}  // namespace

Result<PackedReport> pack_grouped_products(ir::Graph& graph, const GroupOptions& options,
                                           const NodeFilter& wanted) {
  PackedReport report;
  FloatNotes notes;
  for (ir::Node* node : graph.in_order()) {
    if (!is_float_activation_product(*node) || node->in(1)->dtype != DType::f32 || !wants(wanted, *node))
      continue;
    const Result<GroupedWeights> q = pack_grouped(graph, node, options);
    if (!q.is_ok()) {
      notes.add(*node, q.status());
      continue;
    }
    const double sqnr = q.value().sqnr_db();
    if (report.packed == 0 || sqnr < report.worst_sqnr_db)
      report.worst_sqnr_db = sqnr, report.worst = node->name;
    ++report.packed;
  }
  graph.drop_unused_values();
  report.float_products = notes.count();
  report.kept_float = notes.lines();
  if (report.packed == 0)
    return Status(Code::unsupported,
                  format("4-bit weights are for matrix products and convolutions of one group with constant "
                         "weights; this model has none (%zu other products stay float): use --precision int8 "
                         "with --calibrate DATA",
                         report.float_products));
  return report;
}

Result<size_t> pack_dynamic_products(ir::Graph& graph, const NodeFilter& wanted) {
  size_t packed = 0;
  for (ir::Node* node : graph.in_order()) {
    if (!check_packable(*node, Layout::i8c, 0).is_ok() || !wants(wanted, *node)) continue;
    const ir::Value& weights = *node->in(1);
    const PanelMatrix m = matrix_of(*node, Layout::i8c, 0);
    if (weights.dtype != DType::i8 || !weights.quant || weights.quant->axis != 0 ||
        weights.quant->scales.size() != m.n)
      continue;
    const std::vector<int8_t> codes = rows_of_weights<int8_t>(weights);
    kernels::PanelSource source;
    source.codes = codes.data();
    source.channel_scale = weights.quant->scales.data();
    replace(graph, node, m, source, {});
    ++packed;
  }
  graph.drop_unused_values();
  return packed;
}

}  // namespace pith::quantize
