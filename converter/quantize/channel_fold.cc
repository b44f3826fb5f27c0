// Finding who can give a factor up, and moving it.
#include "converter/quantize/channel_fold.h"

#include <algorithm>
#include <cmath>

#include "converter/passes/match.h"

namespace pith::quantize {
namespace {

using enum schema::Op;

template <class OptionsT>
bool has_homogeneous_clamp(const ir::Node& node) {
  const auto* o = node.as<OptionsT>();
  return o != nullptr && std::isinf(o->clamp_max) && (o->clamp_min == 0 || std::isinf(o->clamp_min));
}

bool is_f32_constant(const ir::Value* v) {
  return v != nullptr && v->is_constant() && v->dtype == DType::f32;
}

// Over the last dim alone, with a scale per channel (or one) that can be divided.
bool is_foldable_norm(const ir::Node& node, size_t channels) {
  int axis = 0;
  if (const auto* layer = node.as<schema::LayerNormOptionsT>())
    axis = layer->axis;
  else if (const auto* rms = node.as<schema::RmsNormOptionsT>())
    axis = rms->axis;
  else
    return false;
  const Shape& x = node.in(0)->shape;
  if (axis != -1 && (!x.has_rank() || axis != x.rank() - 1)) return false;
  const auto fits = [&](const ir::Value* v) {
    return is_f32_constant(v) &&
           (v->elements<float>().size() == channels || v->elements<float>().size() == 1);
  };
  return fits(node.in(1)) && (node.in(2) == nullptr || fits(node.in(2)));
}

bool is_producer(const ir::Node& node, size_t channels) {
  if (is_foldable_norm(node, channels)) return true;
  return is_homogeneous_layer(node) && static_cast<size_t>(node.in(1)->shape[0]) == channels;
}

// A product of two tensors of equal shape is linear in both.
bool is_gate(const ir::Node& node) {
  const ir::Value *a = node.in(0), *b = node.in(1);
  return is_binary(&node, schema::BinaryKind::mul, true) &&
         has_homogeneous_clamp<schema::BinaryOptionsT>(node) && a != b && a->shape.has_rank() &&
         b->shape.has_rank() && a->shape == b->shape;
}

// The node that can give a factor up, behind v, which nobody else reads; null when there is none.
ir::Node* giver_behind(const ir::Graph& graph, ir::Node* node, size_t channels) {
  if (node == nullptr) return nullptr;
  if (is_producer(*node, channels)) return node;
  if (passes_scale(*node)) return giver_behind(graph, sole_producer(graph, node->in(0)), channels);
  if (!is_gate(*node)) return nullptr;
  ir::Node* first = giver_behind(graph, sole_producer(graph, node->in(0)), channels);
  return first != nullptr ? first : giver_behind(graph, sole_producer(graph, node->in(1)), channels);
}

// Input i of the node with f(index) applied to every number; a single number is spread over `count` first.
template <class F>
void replace_numbers(ir::Graph& graph, ir::Node* node, size_t i, size_t count, F factor) {
  const ir::Value* v = node->in(i);
  const auto old = v->elements<float>();
  const bool single = old.size() == 1 && count > 1;
  std::vector<float> values(single ? count : old.size());
  for (size_t at = 0; at < values.size(); ++at)
    values[at] = static_cast<float>(double{old[single ? 0 : at]} * factor(at));
  const Shape shape = single ? Shape{static_cast<int64_t>(count)} : v->shape;
  graph.set_input(node, i, graph.add_f32(graph.unique_name(v->name), shape, values));
}

}  // namespace

bool has_f32_weights(const ir::Node& node) {
  const ir::Value* w = node.in(1);
  return is_f32_constant(w) && w->shape.rank() >= 2 && (node.in(2) == nullptr || is_f32_constant(node.in(2)));
}

bool is_homogeneous_layer(const ir::Node& node) {
  return (has_homogeneous_clamp<schema::ConvOptionsT>(node) ||
          has_homogeneous_clamp<schema::FullyConnectedOptionsT>(node)) &&
         has_f32_weights(node);
}

bool passes_scale(const ir::Node& node) {
  if (const auto* o = node.as<schema::UnaryOptionsT>())
    return o->kind == schema::UnaryKind::relu || o->kind == schema::UnaryKind::leaky_relu;
  const auto* pool = node.as<schema::PoolOptionsT>();
  return pool != nullptr && pool->kind != schema::PoolKind::lp && node.outputs.size() == 1;
}

size_t input_channels(const ir::Node& node) {
  const ir::Value* w = node.in(1);
  const auto last = static_cast<size_t>(w->shape[w->shape.rank() - 1]);
  const auto* conv = node.as<schema::ConvOptionsT>();
  return conv == nullptr ? last : last * conv->groups;
}

Result<ChannelFold> find_channel_fold(const ir::Graph& graph, std::span<ir::Node* const> consumers) {
  const auto no = [](const std::string& why) { return Status(Code::unsupported, why); };
  if (consumers.empty()) return no("no consumers");
  const ir::Value* x = consumers.front()->in(0);
  ChannelFold fold;
  fold.consumers.assign(consumers.begin(), consumers.end());
  fold.channels = input_channels(*consumers.front());
  for (const ir::Node* node : consumers)
    if (node->in(0) != x || !(node->is(ConvOptions) || node->is(FullyConnectedOptions)) ||
        !has_f32_weights(*node) || input_channels(*node) != fold.channels)
      return no("'" + node->name + "' is no float layer that reads '" + x->name + "'");
  if (graph.is_output(x)) return no("'" + x->name + "' is an output of the model");
  for (const ir::Node* reader : x->readers)
    if (std::find(consumers.begin(), consumers.end(), reader) == consumers.end())
      return no("'" + x->name + "' is also read by '" + reader->name + "'");
  if (graph.use_count(x) != consumers.size()) return no("'" + x->name + "' has other uses");
  fold.producer = giver_behind(graph, x->producer, fold.channels);
  if (fold.producer == nullptr)
    return no(
        "'" + x->name + "' comes from " +
        (x->producer == nullptr ? "outside" : "'" + x->producer->name + "', which can give no factor up"));
  return fold;
}

void fold_channels(ir::Graph& graph, const ChannelFold& fold, std::span<const double> factors) {
  for (ir::Node* node : fold.consumers) {
    const size_t count = node->in(1)->elements<float>().size();
    std::vector<double> by_weight(count);
    each_weight(*node, count, [&](size_t i, size_t channel) { by_weight[i] = factors[channel]; });
    replace_numbers(graph, node, 1, count, [&](size_t i) { return by_weight[i]; });
  }
  ir::Node* producer = fold.producer;
  const size_t count = producer->in(1)->elements<float>().size();
  const size_t row = std::max<size_t>(1, count / fold.channels);
  replace_numbers(graph, producer, 1, fold.channels, [&](size_t i) { return 1 / factors[i / row]; });
  if (producer->in(2) != nullptr)
    replace_numbers(graph, producer, 2, fold.channels, [&](size_t i) { return 1 / factors[i]; });
  graph.drop_unused_values();
}

}  // namespace pith::quantize
