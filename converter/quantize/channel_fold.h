// Moving a factor per channel across a tensor: consumers' weights take it, the tensor's producer gives it up. What AWQ and
// SmoothQuant do with the factors they choose, and equalization with its own.
//   PITH_ASSIGN(ChannelFold fold, find_channel_fold(graph, {query, key, value}));   // all that read one tensor
//   fold_channels(graph, fold, factors);                                           // outputs stay the same, but for rounding
//   y = W x = (W s) (x / s);   x / s comes from a norm with scale / s and bias / s, or from a layer with rows / s.
#pragma once
#include <span>
#include <vector>

#include "converter/ir/graph.h"
#include "runtime/base/status.h"

namespace pith::quantize {

struct ChannelFold {
  ir::Node* producer = nullptr;  // layer norm, RMS norm, FullyConnected or Conv
  std::vector<ir::Node*> consumers;
  size_t channels = 0;
};

// unsupported with the reason: the tensor has other readers, is an output, or nothing behind it can give a factor up (the way
// may lead through ReLU, max and average pools, and a product with another tensor).
Result<ChannelFold> find_channel_fold(const ir::Graph& graph, std::span<ir::Node* const> consumers);

// factors: one a channel, finite, > 0. Weights, scales and biases that change get new constants.
void fold_channels(ir::Graph& graph, const ChannelFold& fold, std::span<const double> factors);

// ---- what equalization asks as well ---------------------------------------------------------------------------------------

// Convolution or matrix product with float constants as weights and bias.
bool has_f32_weights(const ir::Node& node);
// And f(s z) = s f(z) for its activation, s > 0.
bool is_homogeneous_layer(const ir::Node& node);
// f(s z) = s f(z) for every channel on its own: ReLU, leaky ReLU, pools.
bool passes_scale(const ir::Node& node);
size_t input_channels(const ir::Node& node);

// Calls f(index of the weight, input channel it multiplies).
template <class F>
void each_weight(const ir::Node& node, size_t count, F f) {
  const ir::Value* w = node.in(1);
  const auto* conv = node.as<schema::ConvOptionsT>();
  const size_t inner = static_cast<size_t>(w->shape[w->shape.rank() - 1]);
  const size_t outputs = static_cast<size_t>(w->shape[0]), row = count / outputs;
  const size_t groups = conv == nullptr ? 1 : conv->groups, per_group = outputs / groups;
  for (size_t i = 0; i < count; ++i) f(i, i / row / per_group * inner + i % inner);
}

}  // namespace pith::quantize
