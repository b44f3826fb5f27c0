// fuse_gelu: x * 0.5 * (1 + erf(x / sqrt 2)), written in any order of factors, becomes Gelu; and the
// hard-swish x * clip(x + 3, 0, 6) / 6 (or x * HardSigmoid(x; 1/6, 1/2)) becomes HardSwish; and
// x * sigmoid(x) becomes Swish: one table in 8 bits instead of a table and a product. Fires only if nothing
// else reads what lies between.
#include "converter/passes/match.h"
#include "converter/passes/pass.h"

namespace pith {
namespace {

struct Product {
  std::vector<ir::Value*> factors;  // besides the constant
  double constant = 1;
};

// Factors of v, through multiplications and divisions by numbers that nobody else reads.
void collect(const ir::Graph& graph, ir::Value* v, bool root, Product* out) {
  ir::Node* node = root ? v->producer : sole_producer(graph, v);
  const auto number0 =
      node == nullptr || node->inputs.size() < 2 ? std::nullopt : constant_number(node->in(0));
  const auto number1 =
      node == nullptr || node->inputs.size() < 2 ? std::nullopt : constant_number(node->in(1));
  if (is_binary(node, schema::BinaryKind::mul)) {
    if (number0) out->constant *= static_cast<double>(*number0);
    if (number1) out->constant *= static_cast<double>(*number1);
    if (!number0) collect(graph, node->in(0), false, out);
    if (!number1) collect(graph, node->in(1), false, out);
  } else if (is_binary(node, schema::BinaryKind::div) && number1 && *number1 != 0) {
    out->constant /= static_cast<double>(*number1);
    collect(graph, node->in(0), false, out);
  } else {
    out->factors.push_back(v);
  }
}

// v = base + number: base, or null.
ir::Value* minus_number(const ir::Value* v, double number, bool may_clamp = false) {
  const ir::Node* node = v == nullptr ? nullptr : v->producer;
  if (!is_binary(node, schema::BinaryKind::add, may_clamp)) return nullptr;
  if (is_near(constant_number(node->in(1)), number)) return node->in(0);
  return is_near(constant_number(node->in(0)), number) ? node->in(1) : nullptr;
}

bool is_erf_factor(const ir::Graph& graph, const ir::Value* v, const ir::Value* x) {
  const ir::Value* erf = minus_number(v, 1.0);
  if (erf == nullptr || !is_unary(erf->producer, schema::UnaryKind::erf)) return false;
  Product inner;
  collect(graph, erf->producer->in(0), true, &inner);
  return inner.factors.size() == 1 && inner.factors[0] == x && std::fabs(inner.constant - M_SQRT1_2) < 1e-3;
}

// clip(x + 3, 0, 6), as a Clip or as the clamp of the addition.
bool is_clip_factor(const ir::Value* v, const ir::Value* x) {
  const ir::Node* node = v->producer;
  if (is_unary(node, schema::UnaryKind::clip)) {
    const auto* o = node->as<schema::UnaryOptionsT>();
    return o->alpha == 0 && o->beta == 6 && minus_number(node->in(0), 3.0) == x;
  }
  if (!is_binary(node, schema::BinaryKind::add, true)) return false;
  const auto* o = node->as<schema::BinaryOptionsT>();
  return o->clamp_min == 0 && o->clamp_max == 6 && minus_number(v, 3.0, true) == x;
}

bool is_hard_sigmoid_factor(const ir::Value* v, const ir::Value* x) {
  if (!is_unary(v->producer, schema::UnaryKind::hard_sigmoid) || v->producer->in(0) != x) return false;
  const auto* o = v->producer->as<schema::UnaryOptionsT>();
  return is_near(o->alpha, 1.0 / 6) && is_near(o->beta, 0.5);
}

bool is_sigmoid_factor(const ir::Graph& graph, ir::Value* v, const ir::Value* x) {
  const ir::Node* node = sole_producer(graph, v);
  return is_unary(node, schema::UnaryKind::sigmoid) && node->in(0) == x;
}

bool match(const ir::Graph& graph, const ir::Node& node, schema::UnaryOptionsT* o, ir::Value** x) {
  if (node.out()->dtype != DType::f32) return false;
  Product p;
  collect(graph, node.out(), true, &p);
  if (p.factors.size() != 2) return false;
  for (size_t i : {size_t{0}, size_t{1}}) {
    ir::Value* other = p.factors[1 - i];
    *x = p.factors[i];
    o->kind = schema::UnaryKind::gelu;
    if (std::fabs(p.constant - 0.5) < 1e-4 && is_erf_factor(graph, other, *x)) return true;
    o->kind = schema::UnaryKind::hard_swish;
    if (std::fabs(p.constant - 1.0 / 6) < 1e-4 && is_clip_factor(other, *x)) return true;
    if (p.constant == 1 && is_hard_sigmoid_factor(other, *x)) return true;
    o->kind = schema::UnaryKind::swish, o->alpha = 1;
    if (p.constant == 1 && is_sigmoid_factor(graph, other, *x)) return true;
    o->alpha = 0;
  }
  return false;
}

}  // namespace

Status fuse_gelu(ir::Graph& graph, PassReport& report) {
  for (ir::Node* node : graph.in_order()) {
    if (!graph.alive(node) ||
        !(is_binary(node, schema::BinaryKind::mul) || is_binary(node, schema::BinaryKind::div)))
      continue;
    schema::UnaryOptionsT o;
    ir::Value* x = nullptr;
    if (!match(graph, *node, &o, &x) || x->shape != node->out()->shape) continue;
    ir::Node* fused = graph.insert_before(node, node->name, std::move(o), {x});
    fused->out()->dtype = x->dtype;
    fused->out()->shape = x->shape;
    fused->out()->name = node->out()->name;
    graph.replace_uses(node->out(), fused->out());
    report.fired(fused->name);
    erase_chain(graph, node);
  }
  return Status::ok();
}

}  // namespace pith
