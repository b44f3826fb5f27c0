// fuse_attention: attention as exporters spell it out becomes one Attention node, which never writes the scores.
//   y = softmax(s Q K^T + mask) V        over the last dim, in f32
// Accepted: a scale (multiplication or division by a number) on Q, on K, on the product, or split over them; K turned
// by a Transpose or by the product itself; masks that are added; masks chosen by Where from a constant condition that
// leaves every row something to see, with -inf or a number below -1e30 elsewhere (its weight underflows to 0).
// Operands of 4 dims [B,H,S,D], or of 3 dims [N,S,D] (heads merged into the batch).
// Fires only if nothing else reads what lies between, and the batch and head dims of Q, K, V and the mask are proven
// equal (dim_origin.h): the product broadcasts, Attention does not. One difference is accepted: a row whose added mask
// hides every key by -inf gives NaN when spelled out and 0 here.
#include <cmath>

#include "converter/ir/evaluate.h"
#include "converter/ops/import.h"
#include "converter/passes/dim_origin.h"
#include "converter/passes/match.h"
#include "converter/passes/pass.h"
#include "converter/passes/permutation.h"

namespace pith {
namespace {

using schema::BinaryKind;

// A number that is one element: it cannot broadcast what it meets.
std::optional<float> scalar(const ir::Value* v) {
  return v != nullptr && v->shape.count() == 1 ? constant_number(v) : std::nullopt;
}

struct Pattern {
  ir::Value *q = nullptr, *k = nullptr, *v = nullptr, *mask = nullptr;
  ir::Value* scores = nullptr;
  bool hides = false;  // the mask is a condition that is true where a key is hidden
  double scale = 1;
  bool k_turned = false;  // k is [.., D, T] behind a Transpose that must be undone
};

// Looks through multiplications and divisions by a number that nobody else reads.
ir::Value* unscaled(const ir::Graph& graph, ir::Value* v, double* scale) {
  for (;;) {
    const ir::Node* node = sole_producer(graph, v);
    const bool mul = is_binary(node, BinaryKind::mul), div = is_binary(node, BinaryKind::div);
    if (!mul && !div) return v;
    const auto* o = node->as<schema::BinaryOptionsT>();
    const size_t at = mul && scalar(node->in(0)) ? 0 : 1;
    const auto factor = scalar(node->in(at));
    ir::Value* x = node->in(1 - at);
    if (!factor || *factor == 0 || !std::isfinite(*factor) || x->shape.rank() != v->shape.rank() ||
        !std::isinf(o->clamp_min) || !std::isinf(o->clamp_max))
      return v;
    *scale *= mul ? static_cast<double>(*factor) : 1 / static_cast<double>(*factor);
    v = x;
  }
}

bool is_matmul(const ir::Node* node, bool* transpose_b) {
  const auto* o = node == nullptr ? nullptr : node->as<schema::MatMulOptionsT>();
  if (o == nullptr || node->in(0)->dtype != DType::f32) return false;
  *transpose_b = o->transpose_b;
  return true;
}

// v = s Q K^T: finds Q, K and s.
bool match_scores(const ir::Graph& graph, ir::Value* v, Pattern* p) {
  ir::Value* product = unscaled(graph, v, &p->scale);
  bool transposed_k = false;
  const ir::Node* node = sole_producer(graph, product);
  if (!is_matmul(node, &transposed_k)) return false;
  p->scores = product;
  p->q = unscaled(graph, node->in(0), &p->scale);
  p->k = unscaled(graph, node->in(1), &p->scale);
  if (transposed_k) return true;
  p->k_turned = true;
  return transposed_by(p->k) != nullptr && p->k->producer->in(0)->shape.has_rank();
}

// Every row of a constant condition has an element that is shown (`hides`: 0; else not 0).
bool shows_something_everywhere(const ir::Value* condition, bool hides) {
  if (!condition->is_constant() || condition->dtype != DType::boolean || condition->shape.rank() < 1)
    return false;
  const auto flags = condition->elements<uint8_t>();
  const auto row = static_cast<size_t>(condition->shape[condition->shape.rank() - 1]);
  for (size_t at = 0; row > 0 && at < flags.size(); at += row) {
    bool shown = false;
    for (const uint8_t f : flags.subspan(at, row)) shown = shown || (f != 0) != hides;
    if (!shown) return false;
  }
  return row > 0;
}

// Where(shown, scores, -inf) or Where(hidden, -inf, scores).
bool match_where(const ir::Graph& graph, const ir::Node& node, Pattern* p) {
  p->hides = scalar(node.in(1)).has_value();
  const auto fill = scalar(node.in(p->hides ? 1 : 2));
  if (!fill || *fill > -1e30f || !shows_something_everywhere(node.in(0), p->hides)) return false;
  p->mask = node.in(0);
  return match_scores(graph, node.in(p->hides ? 2 : 1), p);
}

bool match_masked(const ir::Graph& graph, ir::Value* v, Pattern* p) {
  const ir::Node* node = sole_producer(graph, v);
  if (is_binary(node, BinaryKind::add)) {
    const auto* o = node->as<schema::BinaryOptionsT>();
    if (!std::isinf(o->clamp_min) || !std::isinf(o->clamp_max)) return false;
    for (size_t i : {size_t{0}, size_t{1}}) {
      Pattern tried = *p;
      if (!match_scores(graph, node->in(i), &tried)) continue;
      *p = tried;
      p->mask = node->in(1 - i);
      return p->mask->dtype == DType::f32;
    }
    return false;
  }
  if (node != nullptr && node->is(schema::Op::WhereOptions)) return match_where(graph, *node, p);
  return match_scores(graph, v, p);
}

bool match(const ir::Graph& graph, const ir::Node& node, Pattern* p) {
  bool transposed_v = false;
  if (!is_matmul(&node, &transposed_v) || transposed_v) return false;
  const ir::Node* softmax = sole_producer(graph, node.in(0));
  const auto* o = softmax == nullptr ? nullptr : softmax->as<schema::SoftmaxOptionsT>();
  if (o == nullptr || o->kind != schema::SoftmaxKind::softmax) return false;
  const int rank = node.out()->shape.rank();
  if ((rank != 3 && rank != 4) || (o->axis != -1 && o->axis != rank - 1)) return false;
  p->v = node.in(1);
  if (!match_masked(graph, softmax->in(0), p)) return false;
  for (const ir::Value* v : {p->q, p->k, p->v, p->scores})
    if (v->shape.rank() != rank) return false;
  return softmax->in(0)->shape.rank() == rank;
}

// The batch and head dims agree, and the mask is broadcast to the scores, not the other way round.
bool dims_fit(const Pattern& p, DimTracer& dims) {
  const int rank = p.q->shape.rank();
  for (int d = 0; d < rank - 2; ++d)
    if (!dims.same(p.q, d, p.k, d) || !dims.same(p.q, d, p.v, d)) return false;
  if (p.mask == nullptr) return true;
  const int mask_rank = p.mask->shape.rank();
  if (mask_rank < 1 || mask_rank > rank) return false;
  for (int i = 0; i < mask_rank; ++i) {
    const int d = i + rank - mask_rank;
    const DimOrigin m = dims.of(p.mask, i);
    const bool from_q = d < rank - 1;
    const DimOrigin s = from_q ? dims.of(p.q, d) : dims.of(p.k, p.k_turned ? rank - 1 : rank - 2);
    if (m.number != 1 && !(m == s)) return false;
  }
  return true;
}

// K as rows [.., T, D].
Result<ir::Value*> key_rows(ir::Graph& graph, ir::Node* before, const Pattern& p) {
  if (!p.k_turned) return p.k;
  Permutation swap;
  for (uint32_t d = 0; d < static_cast<uint32_t>(p.k->shape.rank()); ++d) swap.push_back(d);
  std::swap(swap[swap.size() - 1], swap[swap.size() - 2]);
  const Permutation perm = compose(*transposed_by(p.k), swap);
  ir::Value* source = p.k->producer->in(0);
  if (is_identity(perm)) return source;
  return transposed(graph, before, source, perm);
}

// The mask as Attention reads it: true means shown, and beside operands of 3 dims its own first dim of 3 is the batch,
// not the heads.
Result<ir::Value*> fitted_mask(ir::Graph& graph, ir::Node* before, const Pattern& p) {
  ir::Value* mask = p.mask;
  if (p.hides) {
    uint8_t* flags = nullptr;
    ir::Bytes bytes = ir::new_bytes(mask->constant->size, &flags);
    for (size_t i = 0; i < bytes.size; ++i) flags[i] = mask->constant->get()[i] == 0;
    mask = graph.add_constant(graph.unique_name(mask->name), DType::boolean, mask->shape, std::move(bytes));
  }
  if (mask == nullptr || p.q->shape.rank() == 4 || mask->shape.rank() < 3) return mask;
  ir::Value* axes = graph.add_i64(graph.unique_name(before->name + "/axes"), {1});
  ir::Node* wide = graph.insert_before(before, graph.unique_name(before->name + "/mask"),
                                       schema::UnsqueezeOptionsT{}, {mask, axes});
  mask = wide->out();
  PITH_RETURN_IF_ERROR(ir::infer_node(*wide));
  PITH_RETURN_IF_ERROR(ir::fold_node(graph, wide).status());
  return mask;
}

Status fuse(ir::Graph& graph, ir::Node* node, const Pattern& p) {
  schema::AttentionOptionsT o;
  o.has_scale = true;
  o.scale = static_cast<float>(p.scale);
  if (p.q->shape.rank() == 3) o.q_heads = o.kv_heads = 1;
  PITH_ASSIGN(ir::Value * k, key_rows(graph, node, p));
  PITH_ASSIGN(ir::Value * mask, fitted_mask(graph, node, p));
  std::vector<ir::Value*> inputs{p.q, k, p.v};
  if (mask != nullptr) inputs.push_back(mask);
  ir::Node* fused = graph.insert_before(node, node->name, std::move(o), std::move(inputs));
  PITH_RETURN_IF_ERROR(ir::infer_node(*fused));
  fused->out()->name = node->out()->name;
  graph.replace_uses(node->out(), fused->out());
  erase_chain(graph, node);
  return Status::ok();
}

}  // namespace

Status fuse_attention(ir::Graph& graph, PassReport& report) {
  DimTracer dims;
  for (ir::Node* node : graph.in_order()) {
    Pattern p;
    if (!graph.alive(node) || !match(graph, *node, &p) || !std::isfinite(p.scale) || !dims_fit(p, dims))
      continue;
    report.fired(node->name);
    PITH_RETURN_IF_ERROR(fuse(graph, node, p));
  }
  return Status::ok();
}

}  // namespace pith
