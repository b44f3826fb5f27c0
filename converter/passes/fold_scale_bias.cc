// fold_scale_bias: a multiplication or addition of per-channel constants after a convolution or
// fully-connected layer goes into its weights and bias (batch normalization arrives as such a pair).
//   before:  x ─ Conv(w, b) ─ Mul(s) ─ Add(t) ─ y        after:  x ─ Conv(s w, s b + t) ─ y
// Fires only if the producer has one reader, no clamp of its own, constant f32 weights, and the constant
// varies along the channels (the last dim) at most.
#include <cmath>

#include "converter/passes/match.h"
#include "converter/passes/pass.h"

namespace pith {
namespace {

template <class OptionsT>
bool has_no_clamp(const ir::Node& node) {
  const auto* o = node.as<OptionsT>();
  return o != nullptr && std::isinf(o->clamp_min) && std::isinf(o->clamp_max);
}

bool is_foldable_producer(const ir::Node* node) {
  if (node == nullptr) return false;
  const bool kind = has_no_clamp<schema::ConvOptionsT>(*node) ||
                    has_no_clamp<schema::ConvTransposeOptionsT>(*node) ||
                    has_no_clamp<schema::FullyConnectedOptionsT>(*node);
  if (!kind || node->in(1) == nullptr || !node->in(1)->is_constant() || node->in(1)->dtype != DType::f32)
    return false;
  return node->in(2) == nullptr || (node->in(2)->is_constant() && node->in(2)->dtype == DType::f32);
}

// The constant as one number per channel; empty when it is not of that form.
std::vector<float> per_channel(const ir::Value* v, int64_t channels, int result_rank) {
  if (v == nullptr || !v->is_constant() || v->dtype != DType::f32 || v->shape.rank() > result_rank) return {};
  const auto numbers = v->elements<float>();
  if (numbers.size() == 1) return std::vector<float>(static_cast<size_t>(channels), numbers[0]);
  if (v->shape.rank() < 1 || v->shape[v->shape.rank() - 1] != channels || v->shape.count() != channels)
    return {};
  return {numbers.begin(), numbers.end()};
}

struct Affine {  // y = scale * x + shift, per channel
  std::vector<float> scale, shift;
};

bool read_affine(const ir::Node& node, const ir::Value* x, int64_t channels, Affine* out) {
  const auto* o = node.as<schema::BinaryOptionsT>();
  if (o == nullptr || !std::isinf(o->clamp_min) || !std::isinf(o->clamp_max)) return false;
  const bool first = node.in(0) == x;
  if (!x->shape.has_rank()) return false;
  const std::vector<float> c = per_channel(first ? node.in(1) : node.in(0), channels, x->shape.rank());
  if (c.empty() || node.in(0) == node.in(1)) return false;
  const auto n = static_cast<size_t>(channels);
  out->scale.assign(n, 1.0f);
  out->shift.assign(n, 0.0f);
  for (size_t i = 0; i < n; ++i) {
    switch (o->kind) {
      case schema::BinaryKind::mul:
        out->scale[i] = c[i];
        break;
      case schema::BinaryKind::add:
        out->shift[i] = c[i];
        break;
      case schema::BinaryKind::sub:
        out->shift[i] = first ? -c[i] : c[i];
        out->scale[i] = first ? 1.0f : -1.0f;
        break;
      case schema::BinaryKind::div:
        if (!first || c[i] == 0) return false;
        out->scale[i] = 1.0f / c[i];
        break;
      default:
        return false;
    }
    if (!std::isfinite(out->scale[i]) || !std::isfinite(out->shift[i])) return false;
  }
  return true;
}

void apply(ir::Graph& graph, ir::Node* layer, const Affine& affine) {
  const ir::Value* w = layer->in(1);
  const auto channels = affine.scale.size();
  std::vector<float> weights(w->elements<float>().begin(), w->elements<float>().end());
  const size_t row = weights.size() / channels;
  for (size_t i = 0; i < weights.size(); ++i) weights[i] *= affine.scale[i / row];
  std::vector<float> bias(channels, 0.0f);
  for (size_t i = 0; i < channels; ++i) {
    const float old = layer->in(2) == nullptr ? 0.0f : layer->in(2)->elements<float>()[i];
    bias[i] = old * affine.scale[i] + affine.shift[i];
  }
  graph.set_input(layer, 1, graph.add_f32(graph.unique_name(w->name), w->shape, weights));
  graph.set_input(
      layer, 2,
      graph.add_f32(graph.unique_name(layer->name + "/bias"), Shape{static_cast<int64_t>(channels)}, bias));
}

}  // namespace

Status fold_scale_bias(ir::Graph& graph, PassReport& report) {
  for (ir::Node* node : graph.in_order()) {
    if (!graph.alive(node) || node->as<schema::BinaryOptionsT>() == nullptr) continue;
    for (size_t i : {size_t{0}, size_t{1}}) {
      ir::Value* x = node->in(i);
      ir::Node* layer = sole_producer(graph, x);
      if (!is_foldable_producer(layer) || layer->parent != node->parent) continue;
      const int64_t channels = layer->in(1)->shape[0];
      Affine affine;
      if (channels < 1 || !read_affine(*node, x, channels, &affine)) continue;
      if (node->out()->shape.rank() != x->shape.rank()) continue;
      apply(graph, layer, affine);
      report.fired(layer->name);
      ir::Value* out = node->out();
      x->name = out->name;
      graph.replace_uses(out, x);
      graph.erase(node);
      break;
    }
  }
  return Status::ok();
}

}  // namespace pith
