// unfold_lstm: an LSTM over one step of time, as networks have it that hear a stream frame by frame, becomes one matrix product
// and the arithmetic of its cell. The product then takes every precision and kernel there is; a Recurrent node takes f32 alone.
//   [i o f c] = [W R] concat(x, h0) + Wb + Rb
//   c1 = sigmoid(f) c0 + sigmoid(i) tanh(c)        h1 = sigmoid(o) tanh(c1)
// (ONNX LSTM with its usual functions.) Without h0 the product reads x alone, without c0 the first term is gone. Fires only with
// constant weights, one direction, one step, no clip, no peephole, no coupled gates and no sequence lengths.
#include <algorithm>

#include "converter/ir/evaluate.h"
#include "converter/passes/match.h"
#include "converter/passes/pass.h"

namespace pith {
namespace {

using schema::BinaryKind;
using schema::UnaryKind;

enum Input : size_t { kX, kW, kR, kBias, kLens, kH0, kC0, kPeephole };

bool has_usual_functions(const schema::RecurrentOptionsT& o) {
  constexpr UnaryKind kUsual[] = {UnaryKind::sigmoid, UnaryKind::tanh, UnaryKind::tanh};
  return o.activations.empty() ||
         std::equal(o.activations.begin(), o.activations.end(), std::begin(kUsual), std::end(kUsual));
}

bool is_f32_constant(const ir::Value* v) {
  return v != nullptr && v->is_constant() && v->dtype == DType::f32 && !v->constant->streamed();
}

bool unfolds(const ir::Node& node) {
  const auto* o = node.as<schema::RecurrentOptionsT>();
  if (o == nullptr || o->cell != schema::CellKind::lstm || o->direction == schema::Direction::bidirectional)
    return false;
  if (!has_usual_functions(*o) || !std::isinf(o->clip) || o->input_forget) return false;
  if (node.in(kLens) != nullptr || node.in(kPeephole) != nullptr) return false;
  if (!is_f32_constant(node.in(kW)) || !is_f32_constant(node.in(kR))) return false;
  if (node.in(kBias) != nullptr && !is_f32_constant(node.in(kBias))) return false;
  const Shape& x = node.in(kX)->shape;
  return x.rank() == 3 && x[o->batch_first ? 1 : 0] == 1 && node.in(kX)->dtype == DType::f32;
}

class Unfolding {
 public:
  Unfolding(ir::Graph& graph, ir::Node* node)
      : graph_(graph), node_(node), o_(*node->as<schema::RecurrentOptionsT>()), hidden_(o_.hidden_size) {}

  Status run() {
    ir::Value* c0 = rows(node_->in(kC0), hidden_);
    ir::Value* gates = product();
    const std::vector<ir::Value*> parts = split(gates, {3 * hidden_, hidden_});
    const std::vector<ir::Value*> iof =
        split(unary(UnaryKind::sigmoid, parts[0]), {hidden_, hidden_, hidden_});
    ir::Value* c1 = binary(BinaryKind::mul, iof[0], unary(UnaryKind::tanh, parts[1]));
    if (c0 != nullptr) c1 = binary(BinaryKind::add, binary(BinaryKind::mul, iof[2], c0), c1);
    ir::Value* h1 = binary(BinaryKind::mul, iof[1], unary(UnaryKind::tanh, c1));
    give(0, h1,
         o_.batch_first ? std::vector<int64_t>{-1, 1, 1, hidden_} : std::vector<int64_t>{1, 1, -1, hidden_});
    const std::vector<int64_t> state =
        o_.batch_first ? std::vector<int64_t>{-1, 1, hidden_} : std::vector<int64_t>{1, -1, hidden_};
    give(1, h1, state), give(2, c1, state);
    if (status_.is_ok()) graph_.erase(node_);
    return status_;
  }

 private:
  // A node in front of the layer; the first failure is kept.
  template <class OptionsT>
  ir::Node* named(const std::string& name, OptionsT options, std::vector<ir::Value*> inputs, size_t outputs) {
    ir::Node* n = graph_.insert_before(node_, name, std::move(options), std::move(inputs), outputs);
    if (status_.is_ok()) status_ = ir::infer_node(*n);
    return n;
  }
  template <class OptionsT>
  ir::Node* node(OptionsT options, std::vector<ir::Value*> inputs, size_t outputs = 1) {
    return named(graph_.unique_name(node_->name), std::move(options), std::move(inputs), outputs);
  }
  ir::Value* reshape(ir::Value* v, const std::vector<int64_t>& dims) {
    return node(schema::ReshapeOptionsT{}, {v, graph_.add_i64(graph_.unique_name("dims"), dims)})->out();
  }
  ir::Value* rows(ir::Value* v, int64_t width) { return v == nullptr ? nullptr : reshape(v, {-1, width}); }
  ir::Value* unary(UnaryKind kind, ir::Value* x) {
    schema::UnaryOptionsT o;
    o.kind = kind;
    return node(std::move(o), {x})->out();
  }
  ir::Value* binary(BinaryKind kind, ir::Value* a, ir::Value* b) {
    schema::BinaryOptionsT o;
    o.kind = kind;
    return node(std::move(o), {a, b})->out();
  }
  std::vector<ir::Value*> split(ir::Value* v, const std::vector<int64_t>& sizes) {
    schema::SplitOptionsT o;
    o.axis = 1;
    return node(std::move(o), {v, graph_.add_i64(graph_.unique_name("sizes"), sizes)}, sizes.size())->outputs;
  }

  ir::Value* product() {
    const int64_t inputs = node_->in(kW)->shape[2];
    ir::Value* x = rows(node_->in(kX), inputs);
    ir::Value* h = rows(node_->in(kH0), hidden_);
    if (h != nullptr) {
      schema::ConcatOptionsT o;
      o.axis = 1;
      x = node(std::move(o), {x, h})->out();
    }
    return named(node_->name, schema::FullyConnectedOptionsT{}, {x, weights(inputs, h != nullptr), bias()}, 1)
        ->out();
  }

  // [W R], or W alone: [4 H, I (+ H)].
  ir::Value* weights(int64_t inputs, bool recurrent) {
    const auto w = node_->in(kW)->elements<float>(), r = node_->in(kR)->elements<float>();
    const auto n = static_cast<size_t>(4 * hidden_), i = static_cast<size_t>(inputs),
               h = static_cast<size_t>(hidden_);
    std::vector<float> both;
    both.reserve(n * (i + h));
    for (size_t row = 0; row < n; ++row) {
      both.insert(both.end(), w.begin() + static_cast<ptrdiff_t>(row * i),
                  w.begin() + static_cast<ptrdiff_t>((row + 1) * i));
      if (recurrent)
        both.insert(both.end(), r.begin() + static_cast<ptrdiff_t>(row * h),
                    r.begin() + static_cast<ptrdiff_t>((row + 1) * h));
    }
    return graph_.add_f32(graph_.unique_name(node_->in(kW)->name),
                          {4 * hidden_, inputs + (recurrent ? hidden_ : 0)}, both);
  }
  ir::Value* bias() {
    if (node_->in(kBias) == nullptr) return nullptr;
    const auto b = node_->in(kBias)->elements<float>();
    std::vector<float> sum(b.size() / 2);
    for (size_t i = 0; i < sum.size(); ++i) sum[i] = b[i] + b[sum.size() + i];
    return graph_.add_f32(graph_.unique_name(node_->in(kBias)->name), {4 * hidden_}, sum);
  }

  void give(size_t output, ir::Value* v, const std::vector<int64_t>& dims) {
    ir::Value* old = node_->out(output);
    if (old == nullptr || graph_.use_count(old) == 0) return;
    graph_.replace_uses(old, reshape(v, dims));
  }

  ir::Graph& graph_;
  ir::Node* node_;
  const schema::RecurrentOptionsT& o_;
  const int64_t hidden_;
  Status status_;
};

}  // namespace

Status unfold_lstm(ir::Graph& graph, PassReport& report) {
  for (ir::Node* node : graph.in_order()) {
    if (!graph.alive(node) || !unfolds(*node)) continue;
    PITH_RETURN_IF_ERROR(Unfolding(graph, node).run());
    report.fired(node->name);
  }
  return Status::ok();
}

}  // namespace pith
