// Small questions about nodes that fusing passes ask.
#pragma once
#include <cmath>
#include <optional>

#include "converter/ir/graph.h"

namespace pith {

// The node that makes `v` when `v` has no other reader and is no output: fusing may consume it. Else null.
inline ir::Node* sole_producer(const ir::Graph& graph, const ir::Value* v) {
  return v != nullptr && v->producer != nullptr && graph.use_count(v) == 1 ? v->producer : nullptr;
}

inline bool is_unary(const ir::Node* node, schema::UnaryKind kind) {
  const auto* o = node == nullptr ? nullptr : node->as<schema::UnaryOptionsT>();
  return o != nullptr && o->kind == kind;
}
// Without a fused activation, unless `may_clamp`: a pattern that took a clamped node would lose the clamp.
inline bool is_binary(const ir::Node* node, schema::BinaryKind kind, bool may_clamp = false) {
  const auto* o = node == nullptr ? nullptr : node->as<schema::BinaryOptionsT>();
  return o != nullptr && o->kind == kind &&
         (may_clamp || (std::isinf(o->clamp_min) && std::isinf(o->clamp_max)));
}

// The number a constant holds in every element (usually one element), if it is f32.
inline std::optional<float> constant_number(const ir::Value* v) {
  if (v == nullptr || !v->is_constant() || v->dtype != DType::f32 || v->elements<float>().empty())
    return std::nullopt;
  for (float x : v->elements<float>())
    if (x != v->elements<float>()[0]) return std::nullopt;
  return v->elements<float>()[0];
}
// Source models write constants like sqrt(2) with a few digits.
inline bool is_near(std::optional<float> a, double b) {
  return a.has_value() && std::fabs(static_cast<double>(*a) - b) <= 1e-3 * std::fabs(b) + 1e-12;
}

// Erases `node` and then what only served it.
inline void erase_chain(ir::Graph& graph, ir::Node* node) {
  const std::vector<ir::Value*> inputs = node->inputs;
  graph.erase(node);
  for (ir::Value* v : inputs)
    if (v != nullptr && v->producer != nullptr && graph.use_count(v) == 0) {
      bool unused = true;
      for (const ir::Value* o : v->producer->outputs)
        unused = unused && (o == nullptr || graph.use_count(o) == 0);
      if (unused) erase_chain(graph, v->producer);
    }
}

}  // namespace pith
