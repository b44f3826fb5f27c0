// fuse_layer_norm: the layer normalization that exporters spell out becomes one node.
//   d = x - mean(x);  y = d / sqrt(mean(d^2) + eps) [* scale] [+ bias]          (means over the last dim)
//   x / sqrt(mean(x^2) + eps) [* scale]                                         (RMS normalization)
// Accepts d*d or pow(d, 2), division by sqrt or multiplication by its reciprocal (also written 1 / sqrt). Fires only if nothing else
// reads what lies between, and scale and bias are constant vectors of the last dim.
#include <algorithm>

#include "converter/ops/import.h"
#include "converter/passes/match.h"
#include "converter/passes/pass.h"

namespace pith {
namespace {

using schema::BinaryKind;
using schema::UnaryKind;

// mean(v) over the last dim only, kept: v, or null.
ir::Value* mean_of(const ir::Node* node) {
  const auto* o = node == nullptr ? nullptr : node->as<schema::ReduceOptionsT>();
  std::vector<int64_t> axes;
  if (o == nullptr || o->kind != schema::ReduceKind::mean || !o->keepdims || !node->in(0)->shape.has_rank() ||
      !ImportContext::const_ints(node->in(1), &axes) || axes.size() != 1)
    return nullptr;
  const int64_t last = node->in(0)->shape.rank() - 1;
  return axes[0] == -1 || axes[0] == last ? node->in(0) : nullptr;
}

bool is_square_of(const ir::Node* node, const ir::Value* d) {
  if (is_binary(node, BinaryKind::mul)) return node->in(0) == d && node->in(1) == d;
  return is_binary(node, BinaryKind::pow) && node->in(0) == d && is_near(constant_number(node->in(1)), 2.0);
}

// root makes sqrt(mean(d^2) + eps) for the given d, and nothing on the way has another reader.
bool is_deviation_of(const ir::Graph& graph, const ir::Node* root, const ir::Value* d, float* epsilon) {
  if (!is_unary(root, UnaryKind::sqrt)) return false;
  const ir::Node* sum = sole_producer(graph, root->in(0));
  if (!is_binary(sum, BinaryKind::add)) return false;
  const bool second = constant_number(sum->in(1)).has_value();
  const auto eps = constant_number(sum->in(second ? 1 : 0));
  if (!eps || *eps < 0 || *eps > 0.1f) return false;
  *epsilon = *eps;
  const ir::Value* square = mean_of(sole_producer(graph, sum->in(second ? 0 : 1)));
  return is_square_of(sole_producer(graph, square), d);
}

// node makes 1 / v: v, or null. Exporters write it as Reciprocal or as a division.
const ir::Value* inverted(const ir::Node* node) {
  if (is_unary(node, UnaryKind::reciprocal)) return node->in(0);
  return is_binary(node, BinaryKind::div) && is_near(constant_number(node->in(0)), 1.0) ? node->in(1)
                                                                                        : nullptr;
}

// d = x - mean(x), read by the square (`uses` times) and the quotient alone: x, else null.
ir::Value* centered_source(const ir::Graph& graph, const ir::Value* d, size_t uses) {
  const ir::Node* sub = d->producer;
  if (!is_binary(sub, BinaryKind::sub) || graph.use_count(d) != uses + 1) return nullptr;
  ir::Value* x = sub->in(0);
  return mean_of(sole_producer(graph, sub->in(1))) == x ? x : nullptr;
}

struct Norm {
  ir::Value* x = nullptr;
  float epsilon = 0;
  bool centered = false;
};

// node = d / deviation, or d * (1 / deviation).
bool match(const ir::Graph& graph, const ir::Node& node, Norm* out) {
  for (size_t i : {size_t{0}, size_t{1}}) {
    ir::Value* d = node.in(i);
    const ir::Node* other = sole_producer(graph, node.in(1 - i));
    if (is_binary(&node, BinaryKind::mul)) {
      const ir::Value* root = inverted(other);
      other = sole_producer(graph, root);
    } else if (i == 1 || !is_binary(&node, BinaryKind::div)) {
      return false;
    }
    if (!is_deviation_of(graph, other, d, &out->epsilon)) continue;
    out->x = d;
    // The square reads d once as pow(d, 2), twice as d * d.
    const bool once = std::count(d->readers.begin(), d->readers.end(), &node) == 1 && d->readers.size() == 2;
    if (ir::Value* x = centered_source(graph, d, once ? 1 : 2)) {
      out->x = x;
      out->centered = true;
    } else if (is_binary(d->producer, BinaryKind::sub) && graph.use_count(d) > 0 &&
               mean_of(d->producer->in(1)->producer) == d->producer->in(0)) {
      return false;  // a layer norm whose parts are read elsewhere: they are computed anyway
    }
    return out->x->shape.has_rank() && out->x->dtype == DType::f32;
  }
  return false;
}

// The reader of v when it is the only one and combines v with a constant vector of `n` numbers.
ir::Node* vector_reader(const ir::Graph& graph, const ir::Value* v, BinaryKind kind, int64_t n,
                        ir::Value** vector) {
  if (graph.use_count(v) != 1 || v->readers.size() != 1 || !is_binary(v->readers[0], kind)) return nullptr;
  ir::Node* reader = v->readers[0];
  ir::Value* c = reader->in(0) == v ? reader->in(1) : reader->in(0);
  if (!c->is_constant() || c->dtype != DType::f32 || c->shape.rank() != 1 || c->shape[0] != n) return nullptr;
  *vector = c;
  return reader;
}

void fuse(ir::Graph& graph, ir::Node* node, const Norm& norm) {
  const int64_t n = norm.x->shape[norm.x->shape.rank() - 1];
  ir::Value *scale = nullptr, *bias = nullptr;
  ir::Node* last = node;
  if (n > 0) {
    if (ir::Node* r = vector_reader(graph, last->out(), BinaryKind::mul, n, &scale)) last = r;
    if (norm.centered && scale != nullptr)
      if (ir::Node* r = vector_reader(graph, last->out(), BinaryKind::add, n, &bias)) last = r;
  }
  if (scale == nullptr) {
    if (n <= 0) return;
    scale = graph.add_f32(graph.unique_name(node->name + "/ones"), Shape{n},
                          std::vector<float>(static_cast<size_t>(n), 1.0f));
  }
  ir::Node* fused = nullptr;
  if (norm.centered) {
    schema::LayerNormOptionsT o;
    o.epsilon = norm.epsilon;
    std::vector<ir::Value*> inputs{norm.x, scale};
    if (bias != nullptr) inputs.push_back(bias);
    fused = graph.insert_before(last, last->name, std::move(o), inputs);
  } else {
    schema::RmsNormOptionsT o;
    o.epsilon = norm.epsilon;
    fused = graph.insert_before(last, last->name, std::move(o), {norm.x, scale});
  }
  fused->out()->dtype = DType::f32;
  fused->out()->shape = norm.x->shape;
  fused->out()->name = last->out()->name;
  graph.replace_uses(last->out(), fused->out());
  erase_chain(graph, last);
}

}  // namespace

Status fuse_layer_norm(ir::Graph& graph, PassReport& report) {
  for (ir::Node* node : graph.in_order()) {
    Norm norm;
    if (!graph.alive(node) || node->outputs.size() != 1 || node->inputs.size() != 2 ||
        !match(graph, *node, &norm))
      continue;
    report.fired(node->name);
    fuse(graph, node, norm);
  }
  return Status::ok();
}

}  // namespace pith
