// Which products form a unit, and what each format asks of a node.
#include "converter/compress/units.h"

#include <algorithm>
#include <set>

#include "converter/passes/narrow_weights.h"
#include "converter/quantize/half_audit.h"
#include "converter/quantize/int8_role.h"
#include "converter/quantize/outlier_split.h"
#include "converter/quantize/packable.h"

namespace pith::compress {
namespace {

using schema::Op;

bool has_weights(const ir::Node& node) {
  return quantize::is_product(node) && node.in(0) != nullptr && !node.in(0)->is_constant() &&
         node.in(0)->dtype == DType::f32 && node.in(1) != nullptr && node.in(1)->is_constant() &&
         node.in(1)->dtype == DType::f32 && node.in(1)->shape.count() > 0;
}

bool can_take(const ir::Node& node, const LayerFormat& format) {
  const bool wide = format.precision == Precision::fp32 || format.precision == Precision::fp16 ||
                    format.precision == Precision::bf16;
  if (!wide && quantize::is_outlier_product(node)) return false;
  switch (format.precision) {
    case Precision::fp32:
      return true;
    case Precision::fp16:
      return reads_half_weights(node, 1) && quantize::audit_half(node.in(1)->elements<float>()).safe();
    case Precision::bf16:
      return reads_half_weights(node, 1) &&
             quantize::audit_half(node.in(1)->elements<float>(), DType::bf16).safe();
    case Precision::int8:
      return quantize::int8_role(node).role == quantize::Int8Role::product;
    case Precision::int8_dynamic:
    case Precision::int4:
    case Precision::nf4:
    case Precision::fp4:
      return quantize::check_packable(node, layout_of(format), format.group).is_ok();
  }
  return false;
}

// Matrix products of one input belong together; convolutions keep their own precision.
Unit* sharing_unit(std::vector<Unit>& units, const ir::Graph& graph, const ir::Node& node) {
  if (!node.is(Op::FullyConnectedOptions)) return nullptr;
  for (const ir::Node* reader : node.in(0)->readers) {
    if (reader == &node || !reader->is(Op::FullyConnectedOptions) || !graph.alive(reader)) continue;
    for (Unit& u : units)
      if (u.nodes.front() == reader->name && !quantize::is_outlier_product(node)) return &u;
  }
  return nullptr;
}

}  // namespace

void name_all_nodes(ir::Graph& graph) {
  std::set<std::string> taken;
  for (ir::Node* node : graph.in_order()) {
    if (node->name.empty()) node->name = schema::EnumNameOp(node->op.type);
    const std::string base = node->name;
    for (int i = 2; !taken.insert(node->name).second; ++i) node->name = base + "~" + std::to_string(i);
  }
}

ir::Node* node_called(const ir::Graph& graph, const std::string& name) {
  for (const auto& node : graph.main.nodes)
    if (node->name == name) return node.get();
  return nullptr;
}

std::vector<Unit> find_units(const ir::Graph& graph, const std::vector<LayerFormat>& candidates) {
  std::vector<Unit> units;
  for (const auto& node : graph.main.nodes) {
    if (!has_weights(*node)) continue;
    Unit* unit = sharing_unit(units, graph, *node);
    if (unit == nullptr) {
      unit = &units.emplace_back();
      unit->name = node->name;
      unit->op = schema::EnumNameOp(node->op.type);
      unit->formats = candidates;
      if (candidates.empty() || candidates.front().precision != Precision::fp32)
        unit->formats.insert(unit->formats.begin(), LayerFormat{});
    }
    unit->nodes.push_back(node->name);
    unit->weights += static_cast<uint64_t>(node->in(1)->shape.count());
    std::erase_if(unit->formats, [&](const LayerFormat& f) { return !can_take(*node, f); });
  }
  return units;
}

}  // namespace pith::compress
