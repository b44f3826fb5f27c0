// fuse_activation: Relu and Clip become the clamp of the float operator that feeds them.
//   before:  x ─ Conv ─ t ─ Relu ─ y          after:  x ─ Conv(clamp 0..inf) ─ y       (saves one write and
//   one read of t)
// Fires only if t has one reader, is not an output, is f32, and the producer's clamp is still open.
#include <algorithm>
#include <cmath>

#include "converter/passes/match.h"
#include "converter/passes/pass.h"

namespace pith {
namespace {

bool clamp_of(const ir::Node& node, float* lo, float* hi) {
  const auto* o = node.as<schema::UnaryOptionsT>();
  if (o == nullptr || node.in(0)->dtype != DType::f32) return false;
  if (o->kind == schema::UnaryKind::relu) {
    *lo = 0;
    *hi = INFINITY;
    return true;
  }
  *lo = o->alpha;
  *hi = o->beta;
  return o->kind == schema::UnaryKind::clip && *lo <= *hi;
}

template <class OptionsT>
bool narrow(ir::Node* node, float lo, float hi) {
  auto* o = node->as<OptionsT>();
  if (o == nullptr || std::max(o->clamp_min, lo) > std::min(o->clamp_max, hi)) return false;
  o->clamp_min = std::max(o->clamp_min, lo);
  o->clamp_max = std::min(o->clamp_max, hi);
  return true;
}

bool is_arithmetic(const ir::Node& node) {
  const auto* o = node.as<schema::BinaryOptionsT>();
  return o != nullptr && o->kind <= schema::BinaryKind::div;
}

}  // namespace

Status fuse_activation(ir::Graph& graph, PassReport& report) {
  for (ir::Node* node : graph.in_order()) {
    float lo = 0, hi = 0;
    if (!graph.alive(node) || !clamp_of(*node, &lo, &hi)) continue;
    ir::Value* t = node->in(0);
    ir::Node* producer = sole_producer(graph, t);
    if (producer == nullptr || producer->parent != node->parent) continue;
    if (producer->as<schema::BinaryOptionsT>() != nullptr && !is_arithmetic(*producer)) continue;
    if (!narrow<schema::ConvOptionsT>(producer, lo, hi) &&
        !narrow<schema::ConvTransposeOptionsT>(producer, lo, hi) &&
        !narrow<schema::FullyConnectedOptionsT>(producer, lo, hi) &&
        !narrow<schema::BinaryOptionsT>(producer, lo, hi))
      continue;
    report.fired(producer->name);
    t->name = node->out()->name;
    graph.replace_uses(node->out(), t);
    graph.erase(node);
  }
  return Status::ok();
}

}  // namespace pith
