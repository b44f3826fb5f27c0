// Finds the f16 tensors that only pass between casts and movements, by elimination, and retypes them.
#include "converter/quantize/widen_half.h"

#include "converter/passes/pass.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "converter/quantize/int8_role.h"
#include "kernels/base/float16.h"

namespace pith::quantize {
namespace {

using schema::Op;
using Values = std::set<const ir::Value*>;

// Gives out its first input (Concat: any input) element by element, whatever the type.
bool moves(const ir::Node& node) {
  return node.is(Op::ReshapeOptions) || node.is(Op::SqueezeOptions) || node.is(Op::UnsqueezeOptions) ||
         node.is(Op::FlattenOptions) || node.is(Op::TransposeOptions) || node.is(Op::SliceOptions) ||
         node.is(Op::SplitOptions) || node.is(Op::ConcatOptions);
}

bool all_outputs_in(const ir::Node& node, const Values& set) {
  return std::all_of(node.outputs.begin(), node.outputs.end(),
                     [&](const ir::Value* v) { return v == nullptr || set.count(v) != 0; });
}

bool data_inputs_in(const ir::Node& node, const Values& set) {
  const size_t count = node.is(Op::ConcatOptions) ? node.inputs.size() : 1;
  for (size_t i = 0; i < count; ++i)
    if (node.in(i) == nullptr || set.count(node.in(i)) == 0) return false;
  return true;
}

bool may_widen(const ir::Graph& graph, const ir::Value& v, const Values& set) {
  const ir::Node& maker = *v.producer;
  if (graph.is_output(&v)) return false;
  if (!maker.is(Op::CastOptions) && !(moves(maker) && data_inputs_in(maker, set))) return false;
  return std::all_of(v.readers.begin(), v.readers.end(), [&](const ir::Node* r) {
    return r->is(Op::CastOptions) || (moves(*r) && data_inputs_in(*r, set) && all_outputs_in(*r, set));
  });
}

ir::Value* widened(ir::Graph& graph, const ir::Value& half) {
  const auto* from = reinterpret_cast<const f16*>(half.constant->get());
  const size_t count = half.constant->size / sizeof(f16);
  std::vector<float> values(count);
  std::transform(from, from + count, values.begin(), [](f16 h) { return to_float(h); });
  return graph.add_f32(graph.unique_name(half.name + "/f32"), half.shape, values);
}

}  // namespace

WidenReport widen_half_activations(ir::Graph& graph) {
  Values set;
  for (const auto& v : graph.values())
    if (v->dtype == DType::f16 && !v->is_constant() && v->producer != nullptr && graph.alive(v->producer))
      set.insert(v.get());
  for (bool changed = true; changed;) {
    changed = false;
    for (auto at = set.begin(); at != set.end();) {
      const bool keep = may_widen(graph, **at, set);
      changed |= !keep;
      at = keep ? std::next(at) : set.erase(at);
    }
  }
  for (const auto& v : graph.values())
    if (set.count(v.get()) != 0) v->dtype = DType::f32;
  for (ir::Node* node : graph.in_order()) {
    if (!node->is(Op::CastOptions) || node->in(0) == nullptr || node->in(0)->dtype != DType::f32 ||
        node->out()->dtype != DType::f32 || graph.is_output(node->out()))
      continue;
    graph.replace_uses(node->out(), node->in(0));
    graph.erase(node);
  }
  return {set.size(), 0};
}

WidenReport widen_half_weights(ir::Graph& graph, Streamed streamed) {
  WidenReport report;
  for (ir::Node* node : graph.in_order()) {
    if (!is_product(*node)) continue;
    for (size_t i = 1; i < node->inputs.size(); ++i) {
      const ir::Value* w = node->inputs[i];
      if (w == nullptr || !w->is_constant() || w->dtype != DType::f16) continue;
      if (streamed == Streamed::kept && w->constant->streamed()) continue;
      graph.set_input(node, i, widened(graph, *w));
      ++report.weights;
    }
  }
  return report;
}

Status widen_half(ir::Graph& graph, Streamed streamed) {
  if (widen_half_activations(graph).activations > 0) PITH_RETURN_IF_ERROR(run_passes(graph, {}));
  widen_half_weights(graph, streamed);
  return Status::ok();
}

}  // namespace pith::quantize
