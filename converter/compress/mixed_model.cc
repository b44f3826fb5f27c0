// Static int8 first, because it rewrites edges; then the formats that change one node each.
#include "converter/compress/mixed_model.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "converter/passes/pass.h"
#include "converter/quantize/dynamic_int8.h"
#include "converter/quantize/half_weights.h"
#include "converter/quantize/int8_role.h"
#include "converter/quantize/packed_products.h"
#include "converter/quantize/widen_half.h"

namespace pith::compress {
namespace {

quantize::NodeFilter nodes_of(const PrecisionPlan& plan, const LayerFormat& format) {
  return [&plan, format](const ir::Node& node) {
    const auto at = plan.find(node.name);
    return at != plan.end() && at->second == format;
  };
}

// A layer that silently stayed float would make the report a lie.
Status all_done(const std::vector<std::string>& kept_float, const LayerFormat& format) {
  if (kept_float.empty()) return Status::ok();
  return Status(Code::unsupported, name_of(format) + ": " + kept_float.front());
}

}  // namespace

Result<MixedModel> MixedModel::create(std::unique_ptr<ir::Graph> graph, const quantize::ItemSource& source,
                                      const quantize::StaticInt8Options& int8) {
  MixedModel out;
  out.graph_ = std::move(graph);
  // Formats are made from f32; passes that ran store exact halves as f16.
  quantize::widen_half_weights(*out.graph_);
  out.int8_ = int8;
  if (source.items > 0) {
    PITH_ASSIGN(out.seen_, quantize::save_calibration(*out.graph_, source, int8));
  }
  return out;
}

Status MixedModel::make_static_int8(ir::Graph& graph, const PrecisionPlan& plan,
                                    quantize::StaticInt8Report* report) const {
  quantize::StaticInt8Options options = int8_;
  std::set<std::string> wanted;
  for (const auto& [name, format] : plan)
    if (format.precision == Precision::int8) wanted.insert(name);
  if (wanted.empty()) return Status::ok();
  if (!has_calibration())
    return Status(Code::bad_argument, "int8 needs representative data: give --calibrate DATA");
  for (const auto& node : graph.main.nodes)
    if (quantize::is_product(*node) && wanted.count(node->name) == 0)
      options.keep_float.push_back(node->name);
  PITH_ASSIGN(const quantize::StaticInt8Report done, quantize::quantize_static_int8(graph, seen_, options));
  for (const quantize::NodeReport& node : done.nodes)
    if (node.is_product && !node.quantized && wanted.count(node.name) != 0)
      return Status(Code::unsupported, "int8: '" + node.name + "' stays float: " + node.reason);
  if (report != nullptr) *report = done;
  PITH_RETURN_IF_ERROR(run_passes(graph, {}));
  quantize::widen_half_weights(graph);
  store_int8_codes(graph);
  return Status::ok();
}

void MixedModel::store_int8_codes(ir::Graph& graph) const {
  for (const auto& node : graph.main.nodes) {
    const auto at = int8_codes_.find(node->name);
    const ir::Value* old = node->in(1);
    if (at == int8_codes_.end() || old == nullptr || old->dtype != DType::i8 ||
        old->elements<int8_t>().size() != at->second.size())
      continue;
    uint8_t* p = nullptr;
    ir::Bytes bytes = ir::new_bytes(at->second.size(), &p);
    std::memcpy(p, at->second.data(), at->second.size());
    ir::Value* codes =
        graph.add_constant(graph.unique_name(old->name), DType::i8, old->shape, std::move(bytes));
    codes->quant = old->quant;
    graph.set_input(node.get(), 1, codes);
  }
  graph.drop_unused_values();
}

void MixedModel::shift_biases(ir::Graph& graph) const {
  for (const auto& node : graph.main.nodes) {
    const auto at = bias_shifts_.find(node->name);
    if (at == bias_shifts_.end()) continue;
    std::vector<float> bias = at->second;
    if (const ir::Value* old = node->in(2); old != nullptr)
      for (size_t c = 0; c < bias.size(); ++c) bias[c] += old->elements<float>()[c];
    ir::Value* shifted =
        graph.add_f32(graph.unique_name(node->name + "/bias"), {static_cast<int64_t>(bias.size())}, bias);
    graph.set_inputs(node.get(), {node->in(0), node->in(1), shifted});
  }
  graph.drop_unused_values();
}

Status MixedModel::pack_winners(ir::Graph& graph, const quantize::NodeFilter& wanted,
                                const LayerFormat& format) const {
  for (const auto& node : graph.main.nodes) {
    const auto ladder = ladders_.find(node->name);
    if (!wanted(*node) || ladder == ladders_.end()) continue;
    const auto at = ladder->second.find(format);
    if (at != ladder->second.end())
      PITH_RETURN_IF_ERROR(quantize::pack_groups(graph, node.get(), at->second.weights));
  }
  graph.drop_unused_values();
  return Status::ok();
}

Status MixedModel::make_packed(ir::Graph& graph, const PrecisionPlan& plan, const LayerFormat& format) const {
  const quantize::NodeFilter wanted = nodes_of(plan, format);
  if (format.precision == Precision::int8_dynamic) {
    PITH_ASSIGN(const quantize::DynamicInt8Report done, quantize::quantize_dynamic_int8(graph, wanted));
    PITH_RETURN_IF_ERROR(quantize::pack_dynamic_products(graph, wanted).status());
    return all_done(done.kept_float, format);
  }
  PITH_RETURN_IF_ERROR(pack_winners(graph, wanted, format));
  const bool left = std::any_of(graph.main.nodes.begin(), graph.main.nodes.end(), [&](const auto& node) {
    return wanted(*node) && node->in(1)->layout == Layout::row_major;
  });
  if (!left) return Status::ok();
  PITH_ASSIGN(const quantize::PackedReport done,
              quantize::pack_grouped_products(graph, group_options(format), wanted));
  return all_done(done.kept_float, format);
}

Status MixedModel::pack(ir::Graph& graph) {
  PITH_RETURN_IF_ERROR(quantize::pack_static_products(graph).status());
  quantize::pack_half_products(graph);
  return Status::ok();
}

Result<std::unique_ptr<ir::Graph>> MixedModel::make(const PrecisionPlan& plan) const {
  PITH_ASSIGN(std::unique_ptr<ir::Graph> graph, make_unpacked(plan));
  PITH_RETURN_IF_ERROR(pack(*graph));
  return graph;
}

Result<std::unique_ptr<ir::Graph>> MixedModel::make_unpacked(const PrecisionPlan& plan,
                                                             quantize::StaticInt8Report* int8) const {
  std::unique_ptr<ir::Graph> graph = graph_->copy();
  shift_biases(*graph);
  PITH_RETURN_IF_ERROR(make_static_int8(*graph, plan, int8));
  std::set<LayerFormat> formats;
  for (const auto& [name, format] : plan) formats.insert(format);
  for (const LayerFormat& format : formats) {
    if (format.precision == Precision::fp16 || format.precision == Precision::bf16) {
      const DType type = format.precision == Precision::bf16 ? DType::bf16 : DType::f16;
      const auto done = quantize::store_half_weights(*graph, nodes_of(plan, format), type);
      PITH_RETURN_IF_ERROR(all_done(done.refused, format));
    } else if (layout_of(format) != Layout::row_major) {
      PITH_RETURN_IF_ERROR(make_packed(*graph, plan, format));
    }
  }
  return graph;
}

}  // namespace pith::compress
