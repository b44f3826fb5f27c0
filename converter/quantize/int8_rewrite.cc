// Inserts quantized constants and Q / DQ pairs; see int8_rewrite.h.
#include "converter/quantize/int8_rewrite.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "converter/quantize/bias_quant.h"

namespace pith::quantize {
namespace {

ir::Quant per_tensor(const Int8Grid& grid) { return {{grid.scale}, {grid.zero_point}, -1, 0}; }

ir::Quant per_channel(const std::vector<float>& scales) {
  return {scales, std::vector<int32_t>(scales.size(), 0), scales.size() == 1 ? -1 : 0, 0};
}

schema::QuantizeOptionsT to_i8() {
  schema::QuantizeOptionsT options;
  options.to = static_cast<uint8_t>(DType::i8);
  return options;
}

template <class T>
ir::Value* add_codes(ir::Graph& graph, const ir::Value& source, DType dtype, const std::vector<T>& codes,
                     ir::Quant quant) {
  uint8_t* to = nullptr;
  ir::Bytes bytes = ir::new_bytes(codes.size() * sizeof(T), &to);
  if (!codes.empty()) std::memcpy(to, codes.data(), codes.size() * sizeof(T));
  ir::Value* v =
      graph.add_constant(graph.unique_name(source.name + "/codes"), dtype, source.shape, std::move(bytes));
  v->quant = std::move(quant);
  return v;
}

class Rewriter {
 public:
  Rewriter(ir::Graph& graph, const Int8Plan& plan) : graph_(graph), plan_(plan) {}

  void product(const ProductCodes& p) {
    constant_input(
        p.node, 1,
        add_codes(graph_, *p.node->in(1), DType::i8, p.weights.codes, per_channel(p.weights.scales)));
    if (!p.bias.empty())
      constant_input(p.node, 2,
                     add_codes(graph_, *p.node->in(2), DType::i32, p.bias, per_channel(p.bias_scales)));
  }

  // The constant operand of an elementwise node: a grid of its own extremes, so a scalar is exact.
  void constant_operands(ir::Node* node) {
    for (size_t i = 0; i < node->inputs.size(); ++i) {
      const ir::Value* c = node->inputs[i];
      if (c == nullptr || !c->is_constant() || c->dtype != DType::f32) continue;
      double low = 0, high = 0;
      for (const float x : c->elements<float>())
        low = std::min<double>(low, x), high = std::max<double>(high, x);
      const Result<GridChoice> choice = grid_for_range(low, high, Symmetry::asymmetric);
      const Int8Grid grid =
          choice.is_ok() ? choice.value().grid : Int8Grid{};  // finite: checked by the caller
      std::vector<int8_t> codes;
      for (const float x : c->elements<float>()) codes.push_back(encode(x, grid));
      constant_input(node, i, add_codes(graph_, *c, DType::i8, codes, per_tensor(grid)));
    }
  }

  // Q and DQ behind the value. Who reads the float value and who the round-tripped one depends on its
  // producer.
  void activation(ir::Value* v, const Int8Grid& grid) {
    const bool made_by_codes = v->producer != nullptr && plan_.active(v->producer);
    const std::vector<ir::Node*> readers = v->readers;
    ir::Node* q = v->producer != nullptr
                      ? graph_.insert_after(v->producer, v->name + "/quantize", to_i8(), {v})
                      : add_first(v);
    quantized(q->out(), *v, grid);
    ir::Node* dq = graph_.insert_after(q, v->name + "/dequantize", schema::DequantizeOptionsT{}, {q->out()});
    dequantized(dq->out(), *v);
    if (made_by_codes) {
      graph_.replace_uses(v, dq->out());
      graph_.set_input(q, 0, v);
      return;
    }
    for (ir::Node* r : readers)
      if (plan_.active(r))
        for (size_t i = 0; i < r->inputs.size(); ++i)
          if (r->inputs[i] == v) graph_.set_input(r, i, dq->out());
  }

 private:
  ir::Node* add_first(ir::Value* v) {
    schema::OpUnion op;
    op.Set(to_i8());
    ir::Node* first = graph_.main.nodes.empty() ? nullptr : graph_.main.nodes.front().get();
    return graph_.add_node(graph_.main, first, v->name + "/quantize", std::move(op), {v});
  }

  static void quantized(ir::Value* q, const ir::Value& source, const Int8Grid& grid) {
    q->dtype = DType::i8;
    q->shape = source.shape;
    q->quant = per_tensor(grid);
  }
  static void dequantized(ir::Value* v, const ir::Value& source) {
    v->dtype = DType::f32;
    v->shape = source.shape;
  }

  void constant_input(ir::Node* node, size_t i, ir::Value* codes) {
    const ir::Value& source = *node->inputs[i];
    schema::DequantizeOptionsT options;
    options.axis = 0;
    ir::Node* dq = graph_.insert_before(node, source.name + "/dequantize", options, {codes});
    dequantized(dq->out(), source);
    graph_.set_input(node, i, dq->out());
  }

  ir::Graph& graph_;
  const Int8Plan& plan_;
};

float largest_magnitude(std::span<const float> values) {
  float most = 0;
  for (const float v : values) most = std::max(most, std::fabs(v));
  return most;
}

}  // namespace

Result<ProductCodes> encode_product(ir::Node* node, const Int8Grid& input, ScaleRule rule, bool per_channel) {
  ProductCodes out;
  out.node = node;
  const ir::Value* w = node->in(1);
  const auto values = w->elements<float>();
  const auto channels = static_cast<size_t>(w->shape.rank() > 0 ? w->shape[0] : 1);
  if (channels == 0 || values.size() % channels != 0)
    return Status(Code::unsupported, format("weights of shape %s have no channels", w->shape.text().c_str()));
  const ChannelView view{values, 1, channels, values.size() / channels};
  WeightOptions options;
  options.rule = rule;
  std::vector<float> floor;
  const ir::Value* bias = node->in(2);
  if (bias != nullptr) {
    PITH_ASSIGN(floor, bias_scale_floor(bias->elements<float>(), input.scale));
  }
  if (!per_channel) {
    floor.resize(channels, 0);
    const float shared = *std::max_element(floor.begin(), floor.end());
    std::fill(floor.begin(), floor.end(), std::max(shared, largest_magnitude(values) / 127));
  }
  options.scale_floor = floor;
  PITH_ASSIGN(out.weights, quantize_weights(view, options));
  if (bias != nullptr) {
    PITH_ASSIGN(out.bias, quantize_bias(bias->elements<float>(), input.scale, out.weights.scales));
    for (const float s : out.weights.scales) out.bias_scales.push_back(s * input.scale);
  }
  PITH_RETURN_IF_ERROR(check_accumulators(out.weights.codes, view, out.bias));
  return out;
}

void rewrite_int8(ir::Graph& graph, const Int8Plan& plan, const std::vector<Int8Grid>& grids,
                  const std::vector<ProductCodes>& products) {
  Rewriter rewriter(graph, plan);
  for (size_t g = 0; g < plan.groups.size(); ++g)
    for (ir::Value* v : plan.groups[g].values) rewriter.activation(v, grids[g]);
  for (const ProductCodes& p : products) rewriter.product(p);
  for (const PlannedNode& p : plan.nodes)
    if (p.active && p.role == Int8Role::elementwise) rewriter.constant_operands(p.node);
}

}  // namespace pith::quantize
