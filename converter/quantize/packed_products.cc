// From float or int8 constants to packed ones; the bytes are made by kernels/gemm/panel_pack.h.
#include "converter/quantize/packed_products.h"

#include <map>

#include "kernels/gemm/panel_pack.h"
#include "runtime/ops/panel_weights.h"
#include "runtime/ops/requant_state.h"

namespace pith::quantize {
namespace {

ir::Value* add_packed(ir::Graph& graph, const ir::Value& weights, const PanelMatrix& matrix,
                      const kernels::PanelSource& source) {
  uint8_t* bytes = nullptr;
  ir::Bytes owned = ir::new_bytes(static_cast<size_t>(panel_matrix_bytes(matrix)), &bytes);
  kernels::pack_panels(matrix, source, bytes);
  ir::Value* packed =
      graph.add_constant(weights.name, dtype_of(matrix.layout), weights.shape, std::move(owned));
  packed->layout = matrix.layout;
  packed->group = matrix.group;
  return packed;
}

// Replaces weights and bias of the node by one packed constant.
void replace(ir::Graph& graph, ir::Node* node, const PanelMatrix& matrix, kernels::PanelSource source,
             std::vector<int8_t> codebook) {
  if (const ir::Value* bias = node->in(2); bias != nullptr) source.bias = bias->elements<float>().data();
  ir::Value* packed = add_packed(graph, *node->in(1), matrix, source);
  packed->codebook = std::move(codebook);
  graph.set_inputs(node, {node->in(0), packed});
}

PanelMatrix matrix_of(const ir::Node& node, Layout layout, size_t group) {
  return panel_matrix_of(layout, static_cast<uint16_t>(group), node.in(1)->shape);
}

}  // namespace

Status pack_groups(ir::Graph& graph, ir::Node* node, const GroupedWeights& weights) {
  PITH_RETURN_IF_ERROR(check_packable(*node, weights.layout, weights.group));
  const PanelMatrix m = matrix_of(*node, weights.layout, weights.group);
  if (m.n != weights.n || m.k != weights.k)
    return Status(Code::bad_argument,
                  format("codes of [%zu, %zu] for packed weights of [%llu, %llu]", weights.n, weights.k,
                         static_cast<unsigned long long>(m.n), static_cast<unsigned long long>(m.k)));
  replace(graph, node, m, weights.source(), weights.codebook);
  return Status::ok();
}

namespace {

Result<GroupedWeights> pack_searched(ir::Graph& graph, ir::Node* node, GroupOptions options) {
  PITH_RETURN_IF_ERROR(check_packable(*node, options.layout, options.group));
  const PanelMatrix m = matrix_of(*node, options.layout, options.group);
  options.layout = stored_layout(options.layout, m.n, m.k, options.group);
  const std::vector<float> rows = padded_rows(node->in(1)->elements<float>(), node->in(1)->shape);
  PITH_ASSIGN(GroupedWeights q,
              quantize_groups(rows, static_cast<size_t>(m.n), static_cast<size_t>(m.k), options));
  PITH_RETURN_IF_ERROR(pack_groups(graph, node, q));
  return q;
}

// code - zero point of its output; false where that is no code of a panel.
template <class T>
bool centred_codes(const ir::Value& weights, std::vector<int8_t>* out) {
  const std::vector<int32_t>& zeros = weights.quant->zero_points;
  const auto from = weights.elements<T>();
  const size_t outputs = static_cast<size_t>(weights.shape[0]), each = from.size() / outputs;
  std::vector<int8_t> codes;
  codes.reserve(from.size());
  for (size_t i = 0; i < from.size(); ++i) {
    const int32_t code = int32_t{from[i]} - (zeros.size() == 1 ? zeros[0] : zeros[i / each]);
    if (code < -127 || code > 127) return false;
    codes.push_back(static_cast<int8_t>(code));
  }
  *out = std::move(codes);
  return true;
}

bool is_code_product(const ir::Node& node) {
  const auto codes = [](const ir::Value* v) { return v != nullptr && is_codes(v->dtype); };
  if (!codes(node.in(0)) || !codes(node.in(1)) || !codes(node.out())) return false;
  const ir::Value& w = *node.in(1);
  if (!w.is_constant() || w.layout != Layout::row_major || !w.quant || w.quant->group != 0) return false;
  const size_t scales = w.quant->scales.size();
  if (w.quant->zero_points.size() != scales) return false;
  if (scales != 1 && (w.quant->axis != 0 || static_cast<int64_t>(scales) != w.shape[0])) return false;
  const auto* conv = node.as<schema::ConvOptionsT>();
  return conv != nullptr ? conv->groups == 1 : node.is(schema::Op::FullyConnectedOptions);
}

// Padding and the words of each channel may cost one of so many parts; above that a copy at load is cheaper than a larger file.
bool worth_packing(const PanelMatrix& m, uint64_t row_major_bytes, uint64_t parts) {
  return panel_matrix_bytes(m) <= row_major_bytes + row_major_bytes / parts;
}

// The weights packed, or null when they cannot be or the file would grow too much.
ir::Value* packed_codes(ir::Graph& graph, const ir::Value& weights, Growth growth) {
  const PanelMatrix m = panel_matrix_of(Layout::i8c, 0, weights.shape);
  const size_t row_major = weights.constant->size + 4 * weights.quant->scales.size();
  if (panel_fault(m) != nullptr || (growth == Growth::little && !worth_packing(m, row_major, 16)))
    return nullptr;
  std::vector<int8_t> codes;
  const bool fits = weights.dtype == DType::i8 ? centred_codes<int8_t>(weights, &codes)
                                               : centred_codes<uint8_t>(weights, &codes);
  if (!fits) return nullptr;
  std::vector<float> scales = weights.quant->scales;
  if (scales.size() == 1) scales.assign(static_cast<size_t>(m.n), scales[0]);
  codes = padded_rows<int8_t>(codes, weights.shape);
  kernels::PanelSource source;
  source.codes = codes.data();
  source.channel_scale = scales.data();
  return add_packed(graph, weights, m, source);
}

}  // namespace

Status nothing_packed(const PackedReport& report) {
  return Status(Code::unsupported,
                format("4-bit weights are for matrix products and convolutions of one group with constant "
                       "weights; this model has none (%zu other products stay float): use --precision int8 "
                       "with --calibrate DATA",
                       report.float_products));
}

Result<PackedReport> pack_grouped_products(ir::Graph& graph, const GroupOptions& options,
                                           const NodeFilter& wanted) {
  PackedReport report;
  FloatNotes notes;
  for (ir::Node* node : graph.in_order()) {
    if (!is_float_activation_product(*node) || node->in(1)->dtype != DType::f32 || !wants(wanted, *node))
      continue;
    const Result<GroupedWeights> q = pack_searched(graph, node, options);
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
  if (report.packed == 0) return nothing_packed(report);
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
    const std::vector<int8_t> codes = padded_rows(weights.elements<int8_t>(), weights.shape);
    kernels::PanelSource source;
    source.codes = codes.data();
    source.channel_scale = weights.quant->scales.data();
    replace(graph, node, m, source, {});
    ++packed;
  }
  graph.drop_unused_values();
  return packed;
}

Result<size_t> pack_static_products(ir::Graph& graph, const NodeFilter& wanted, Growth growth) {
  size_t count = 0;
  std::map<const ir::Value*, ir::Value*> done;  // weights of several nodes are packed once
  for (ir::Node* node : graph.in_order()) {
    if (!is_code_product(*node) || !wants(wanted, *node)) continue;
    const auto [at, fresh] = done.emplace(node->in(1), nullptr);
    if (fresh) at->second = packed_codes(graph, *node->in(1), growth);
    if (at->second == nullptr) continue;
    graph.set_input(node, 1, at->second);
    ++count;
  }
  graph.drop_unused_values();
  return count;
}

bool worth_half_panels(const PanelMatrix& m, bool bias) {
  return worth_packing(m, 2 * m.n * m.k + (bias ? 4 * m.n : 0), 32);
}

size_t pack_half_products(ir::Graph& graph) {
  size_t packed = 0;
  for (ir::Node* node : graph.in_order()) {
    if (!node->is(schema::Op::FullyConnectedOptions) || !check_packable(*node, Layout::f16_panel, 0).is_ok())
      continue;
    const ir::Value& weights = *node->in(1);
    if (weights.dtype != DType::f16 || weights.shape.rank() != 2 || graph.use_count(&weights) != 1) continue;
    const PanelMatrix m = matrix_of(*node, Layout::f16_panel, 0);
    if (!worth_half_panels(m, node->in(2) != nullptr)) continue;
    kernels::PanelSource source;
    source.halves = weights.elements<f16>().data();
    replace(graph, node, m, source, {});
    ++packed;
  }
  graph.drop_unused_values();
  return packed;
}

}  // namespace pith::quantize
