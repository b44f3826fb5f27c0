// Traced runs of both models, and a comparison of their layers on a few items.
#include "converter/compress/layer_outcome.h"

#include <map>

#include "converter/eval/latency.h"
#include "converter/eval/layer_compare.h"

namespace pith::compress {
namespace {

constexpr int kTimedRuns = 9;

std::map<std::string, uint64_t> constant_bytes_of_nodes(const ir::Graph& graph) {
  std::map<std::string, uint64_t> bytes;
  for (const ir::Node* node : graph.in_order())
    for (const ir::Value* v : node->inputs)
      if (v != nullptr && v->is_constant()) bytes[node->name] += v->constant->size;
  return bytes;
}

template <class T>
T sum_over(const Unit& unit, const std::map<std::string, T>& of_node) {
  T sum{};
  for (const std::string& node : unit.nodes)
    if (const auto at = of_node.find(node); at != of_node.end()) sum += at->second;
  return sum;
}

int badness(eval::Fidelity f) {
  switch (f) {
    case eval::Fidelity::identical:
      return 0;
    case eval::Fidelity::normal:
      return 1;
    case eval::Fidelity::silent:
      return 2;
    case eval::Fidelity::not_finite:
      return 3;
  }
  return 3;
}

void add_errors(const Unit& unit, const eval::LayerComparison& comparison, LayerOutcome* out) {
  for (const eval::LayerError& layer : comparison.layers)
    for (const std::string& node : unit.nodes) {
      if (layer.node != node) continue;
      if (is_worse(layer.local, out->local)) out->local = layer.local;
      if (is_worse(layer.cumulative, out->cumulative)) out->cumulative = layer.cumulative;
    }
}

}  // namespace

bool is_worse(const eval::TensorError& error, const std::optional<eval::TensorError>& than) {
  if (!than) return true;
  const int a = badness(error.fidelity()), b = badness(than->fidelity());
  if (a != b) return a > b;
  return error.fidelity() == eval::Fidelity::normal && error.sqnr_db() < than->sqnr_db();
}

Result<std::vector<LayerOutcome>> layer_outcomes(const OutcomeInput& in) {
  const auto float_bytes = constant_bytes_of_nodes(in.float_graph), bytes = constant_bytes_of_nodes(in.graph);
  PITH_ASSIGN(const auto float_ms, eval::node_latency_ms(in.original, kTimedRuns));
  PITH_ASSIGN(const auto ms, eval::node_latency_ms(in.model, kTimedRuns));
  eval::LayerComparison comparison;
  if (in.items.size() > 0) {
    PITH_ASSIGN(comparison, eval::compare_layers(in.items, in.original, in.model, {}));
  }
  std::vector<LayerOutcome> out;
  for (const Unit& unit : in.units) {
    LayerOutcome& layer = out.emplace_back();
    layer.float_bytes = sum_over(unit, float_bytes);
    layer.bytes = sum_over(unit, bytes);
    layer.float_ms = sum_over(unit, float_ms);
    layer.ms = sum_over(unit, ms);
    add_errors(unit, comparison, &layer);
  }
  return out;
}

}  // namespace pith::compress
