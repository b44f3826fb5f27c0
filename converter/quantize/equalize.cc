// Finding the pairs, and scaling them.
#include "converter/quantize/equalize.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "converter/passes/match.h"
#include "converter/quantize/channel_fold.h"

namespace pith::quantize {
namespace {

using enum schema::Op;

constexpr size_t kMaxRounds = 20;
constexpr double kSettled = 1e-4;     // largest |ln t| of a round
constexpr double kLargestStep = 1e3;  // t outside 1/this .. this: the channel is all but dead, left alone

struct Pair {
  ir::Node *first = nullptr, *second = nullptr;
  std::vector<float> w1, b1, w2;  // worked on, stored back at the end
  size_t channels = 0;
  std::vector<double> total;  // product of all factors, per channel
};

// Output channels of the layer behind v, through what passes scale and has no other reader; null when there is none.
ir::Node* producer_of(const ir::Graph& graph, const ir::Value* v) {
  ir::Node* node = sole_producer(graph, v);
  while (node != nullptr && passes_scale(*node)) node = sole_producer(graph, node->in(0));
  return node != nullptr && is_homogeneous_layer(*node) ? node : nullptr;
}

std::vector<float> numbers(const ir::Value* v) {
  return v == nullptr ? std::vector<float>{}
                      : std::vector<float>(v->elements<float>().begin(), v->elements<float>().end());
}

double scale_once(Pair& p) {
  std::vector<double> r1(p.channels), r2(p.channels);
  const size_t row = p.w1.size() / p.channels;
  for (size_t i = 0; i < p.w1.size(); ++i) r1[i / row] = std::max(r1[i / row], std::fabs(double{p.w1[i]}));
  each_weight(*p.second, p.w2.size(),
              [&](size_t i, size_t c) { r2[c] = std::max(r2[c], std::fabs(double{p.w2[i]})); });
  double moved = 0;
  std::vector<double> t(p.channels, 1.0);
  for (size_t c = 0; c < p.channels; ++c) {
    if (!(r1[c] > 0) || !(r2[c] > 0)) continue;
    const double wanted = std::sqrt(r1[c] / r2[c]);
    if (!(wanted < kLargestStep) || !(wanted > 1 / kLargestStep)) continue;
    t[c] = wanted;
    p.total[c] *= wanted;
    moved = std::max(moved, std::fabs(std::log(wanted)));
  }
  for (size_t i = 0; i < p.w1.size(); ++i) p.w1[i] = static_cast<float>(p.w1[i] / t[i / row]);
  for (size_t c = 0; c < p.b1.size(); ++c) p.b1[c] = static_cast<float>(p.b1[c] / t[c]);
  each_weight(*p.second, p.w2.size(),
              [&](size_t i, size_t c) { p.w2[i] = static_cast<float>(p.w2[i] * t[c]); });
  return moved;
}

void load(Pair& p) {
  p.w1 = numbers(p.first->in(1));
  p.b1 = numbers(p.first->in(2));
  p.w2 = numbers(p.second->in(1));
}

void store(ir::Graph& graph, Pair& p) {
  const ir::Value *w1 = p.first->in(1), *b1 = p.first->in(2), *w2 = p.second->in(1);
  graph.set_input(p.first, 1, graph.add_f32(graph.unique_name(w1->name), w1->shape, p.w1));
  if (b1 != nullptr) graph.set_input(p.first, 2, graph.add_f32(graph.unique_name(b1->name), b1->shape, p.b1));
  graph.set_input(p.second, 1, graph.add_f32(graph.unique_name(w2->name), w2->shape, p.w2));
}

std::vector<Pair> find_pairs(const ir::Graph& graph) {
  std::vector<Pair> pairs;
  for (const auto& node : graph.main.nodes) {
    const bool layer = node->is(ConvOptions) || node->is(FullyConnectedOptions);
    if (!layer || !has_f32_weights(*node)) continue;
    Pair p;
    p.second = node.get();
    p.first = producer_of(graph, node->in(0));
    if (p.first == nullptr || p.first->parent != node->parent) continue;
    p.channels = static_cast<size_t>(p.first->in(1)->shape[0]);
    if (p.channels == 0 || p.channels != input_channels(*node)) continue;
    p.total.assign(p.channels, 1.0);
    pairs.push_back(std::move(p));
  }
  return pairs;
}

}  // namespace

EqualizeReport equalize_layers(ir::Graph& graph) {
  EqualizeReport report;
  std::vector<Pair> pairs = find_pairs(graph);
  report.pairs = pairs.size();
  double moved = pairs.empty() ? 0 : INFINITY;
  while (moved > kSettled && report.rounds < kMaxRounds) {
    moved = 0;
    for (Pair& p : pairs) {
      load(p);
      moved = std::max(moved, scale_once(p));
      store(graph, p);
    }
    graph.drop_unused_values();
    ++report.rounds;
  }
  for (const Pair& p : pairs)
    for (const double t : p.total) report.largest_factor = std::max({report.largest_factor, t, 1 / t});
  return report;
}

}  // namespace pith::quantize
