// fuse_rotary: rotary position embedding as exporters spell it out becomes one RotaryEmbedding node.
//   y = x * cos + concat(-x2, x1) * sin      x = [x1, x2] cut in the middle of the last dim, x[B,H,S,D]
// cos and sin repeat their first half in the second, which must be seen: a constant whose halves are equal, or
// concat(f, f) behind elementwise functions, Unsqueeze, Slice or Gather of rows. The node then reads one half.
// Fires only if nothing else reads what lies between, and the batch of cos and sin is that of x (or 1, and that of x is
// known).
#include <cmath>

#include "converter/ir/evaluate.h"
#include "converter/ops/import.h"
#include "converter/passes/dim_origin.h"
#include "converter/passes/match.h"
#include "converter/passes/pass.h"

namespace pith {
namespace {

using enum schema::Op;
using schema::BinaryKind;

bool is_last(int64_t axis, int rank) { return axis == -1 || axis == rank - 1; }

// v = x[.., begin:end] of the last dim: x, else null.
ir::Value* slice_of(const ir::Value* v, int64_t begin, int64_t end, int64_t depth) {
  const ir::Node* node = v->producer;
  if (node == nullptr) return nullptr;
  std::vector<int64_t> starts, ends, axes, steps;
  if (const auto* o = node->as<schema::SplitOptionsT>()) {  // into two equal parts
    const size_t part = node->out(0) == v ? 0 : 1;
    if (node->outputs.size() != 2 || !is_last(o->axis, v->shape.rank()) || node->out(part) != v ||
        v->shape[v->shape.rank() - 1] * 2 != depth)
      return nullptr;
    return begin == static_cast<int64_t>(part) * depth / 2 ? node->in(0) : nullptr;
  }
  if (!node->is(SliceOptions) || !ImportContext::const_ints(node->in(1), &starts) ||
      !ImportContext::const_ints(node->in(2), &ends) || !ImportContext::const_ints(node->in(3), &axes) ||
      starts.size() != 1 || ends.size() != 1 || axes.size() != 1 || !is_last(axes[0], v->shape.rank()))
    return nullptr;
  if (node->in(4) != nullptr &&
      (!ImportContext::const_ints(node->in(4), &steps) || steps != std::vector<int64_t>{1}))
    return nullptr;
  const int64_t from = starts[0] < 0 ? starts[0] + depth : starts[0];
  const int64_t to = std::min(ends[0] < 0 ? ends[0] + depth : ends[0], depth);
  return from == begin && to == end ? node->in(0) : nullptr;
}

// v = concat(-x2, x1): x, else null. Parts may be read by nobody else, except a Split by both.
ir::Value* turned_source(const ir::Graph& graph, const ir::Value* v) {
  const ir::Node* concat = sole_producer(graph, v);
  const auto* o = concat == nullptr ? nullptr : concat->as<schema::ConcatOptionsT>();
  const int rank = v->shape.rank();
  if (o == nullptr || concat->inputs.size() != 2 || rank != 4 || !is_last(o->axis, rank)) return nullptr;
  const int64_t depth = v->shape[rank - 1];
  const ir::Node* neg = sole_producer(graph, concat->in(0));
  if (depth <= 0 || depth % 2 != 0 || !is_unary(neg, schema::UnaryKind::neg)) return nullptr;
  ir::Value* x = slice_of(neg->in(0), depth / 2, depth, depth);
  return x != nullptr && x->shape.rank() == rank && x->shape[rank - 1] == depth &&
                 slice_of(concat->in(1), 0, depth / 2, depth) == x
             ? x
             : nullptr;
}

// The first half of a table along its last dim, when the second half is the same.
class HalfTable {
 public:
  explicit HalfTable(ir::Graph& graph) : graph_(graph) {}

  bool can(const ir::Value* v) const {
    if (!v->shape.has_rank() || v->shape.rank() < 1 || v->dtype != DType::f32) return false;
    const int64_t depth = v->shape[v->shape.rank() - 1];
    if (depth <= 0 || depth % 2 != 0) return false;
    if (v->is_constant()) return halves_are_equal(*v, depth);
    const ir::Node* node = v->producer;
    if (node == nullptr || node->out() != v) return false;
    const int rank = v->shape.rank();
    std::vector<int64_t> axes;
    switch (node->op.type) {
      case ConcatOptions:
        return node->inputs.size() == 2 && node->in(0) == node->in(1) &&
               is_last(node->as<schema::ConcatOptionsT>()->axis, rank);
      case UnaryOptions:
        return can(node->in(0));
      case BinaryOptions:  // by a number
        return constant_number(node->in(1)) && node->in(1)->shape.count() == 1 &&
               node->in(0)->shape.rank() == rank && can(node->in(0));
      case GatherOptions: {  // rows
        const int axis = node->as<schema::GatherOptionsT>()->axis;
        return axis == 0 && node->in(0)->shape.rank() >= 2 && can(node->in(0));
      }
      case UnsqueezeOptions:
      case SliceOptions: {
        const bool slice = node->is(SliceOptions);
        if (!ImportContext::const_ints(node->in(slice ? 3 : 1), &axes)) return false;
        for (int64_t a : axes)
          if (is_last(a, rank)) return false;
        return can(node->in(0));
      }
      default:
        return false;
    }
  }

  // Only after can(v).
  Result<ir::Value*> make(ir::Node* before, ir::Value* v) {
    if (v->is_constant()) return half_constant(*v);
    const ir::Node* node = v->producer;
    if (node->is(ConcatOptions)) return node->in(0);
    std::vector<ir::Value*> inputs = node->inputs;
    PITH_ASSIGN(inputs[0], make(before, node->in(0)));
    ir::Node* half = graph_.add_node(*before->parent, before, graph_.unique_name(node->name + "/half"),
                                     node->op, std::move(inputs));
    PITH_RETURN_IF_ERROR(ir::infer_node(*half));
    return half->out();
  }

 private:
  static bool halves_are_equal(const ir::Value& v, int64_t depth) {
    const auto x = v.elements<float>();
    const auto half = static_cast<size_t>(depth / 2);
    for (size_t i = 0; i < x.size(); ++i)
      if (i / half % 2 == 0 && x[i] != x[i + half]) return false;
    return true;
  }
  ir::Value* half_constant(const ir::Value& v) {
    Shape shape = v.shape;
    shape[shape.rank() - 1] /= 2;
    const auto half = static_cast<size_t>(shape[shape.rank() - 1]);
    std::vector<float> kept;
    for (size_t i = 0; i < v.elements<float>().size(); ++i)
      if (i / half % 2 == 0) kept.push_back(v.elements<float>()[i]);
    return graph_.add_f32(graph_.unique_name(v.name + "/half"), shape, kept);
  }
  ir::Graph& graph_;
};

struct Pattern {
  ir::Value *x = nullptr, *cosines = nullptr, *sines = nullptr;
};

// node = x * cos + turned(x) * sin, the operands of each in any order.
bool match(const ir::Graph& graph, const ir::Node& node, Pattern* p) {
  const auto* sum = node.as<schema::BinaryOptionsT>();
  if (sum == nullptr || sum->kind != BinaryKind::add || !std::isinf(sum->clamp_min) ||
      !std::isinf(sum->clamp_max) || node.out()->dtype != DType::f32)
    return false;
  for (size_t side : {size_t{0}, size_t{1}}) {
    const ir::Node* with_sin = sole_producer(graph, node.in(side));
    const ir::Node* with_cos = sole_producer(graph, node.in(1 - side));
    if (!is_binary(with_sin, BinaryKind::mul) || !is_binary(with_cos, BinaryKind::mul)) return false;
    for (size_t i : {size_t{0}, size_t{1}}) {
      p->x = turned_source(graph, with_sin->in(i));
      p->sines = with_sin->in(1 - i);
      if (p->x == nullptr || (with_cos->in(0) != p->x && with_cos->in(1) != p->x)) continue;
      p->cosines = with_cos->in(with_cos->in(0) == p->x ? 1 : 0);
      return p->cosines != p->x;
    }
  }
  return false;
}

// A table of rank 2 to 4 lies over [B, 1, S, D]: its batch is 1 or B, it has no heads.
bool table_fits(const ir::Value* table, const ir::Value* x, DimTracer& dims) {
  const int rank = table->shape.rank();
  if (rank < 2 || rank > 4 || !(dims.of(table, rank - 1) == dims.of(x, 3))) return false;
  if (!dims.same(table, rank - 2, x, 2)) return false;
  if (rank >= 3 && table->shape[rank - 3] != 1) return false;
  if (rank == 4 && dims.same(table, 0, x, 0)) return true;
  return (rank < 4 || table->shape[0] == 1) && x->shape[0] > 0;
}

// The half table as [B, S, D / 2].
Result<ir::Value*> fitted(ir::Graph& graph, ir::Node* before, ir::Value* half, const ir::Value* x) {
  const auto add = [&](auto options, int64_t argument) -> Result<ir::Value*> {
    ir::Value* list = graph.add_i64(graph.unique_name(before->name + "/list"), {argument});
    ir::Node* n =
        graph.insert_before(before, graph.unique_name(before->name + "/table"), options, {half, list});
    ir::Value* out = n->out();
    PITH_RETURN_IF_ERROR(ir::infer_node(*n));
    PITH_RETURN_IF_ERROR(ir::fold_node(graph, n).status());
    return out;
  };
  if (half->shape.rank() == 4) {
    PITH_ASSIGN(half, add(schema::SqueezeOptionsT{}, 1));
  } else if (half->shape.rank() == 2) {
    PITH_ASSIGN(half, add(schema::UnsqueezeOptionsT{}, 0));
  }
  if (half->shape[0] != 1 || x->shape[0] == 1) return half;
  ir::Value* wanted = graph.add_i64(graph.unique_name(before->name + "/batch"), {x->shape[0], 1, 1});
  ir::Node* n = graph.insert_before(before, graph.unique_name(before->name + "/table"),
                                    schema::ExpandOptionsT{}, {half, wanted});
  half = n->out();
  PITH_RETURN_IF_ERROR(ir::infer_node(*n));
  PITH_RETURN_IF_ERROR(ir::fold_node(graph, n).status());
  return half;
}

}  // namespace

Status fuse_rotary(ir::Graph& graph, PassReport& report) {
  DimTracer dims;
  for (ir::Node* node : graph.in_order()) {
    Pattern p;
    HalfTable halves(graph);
    if (!graph.alive(node) || !match(graph, *node, &p) || !table_fits(p.cosines, p.x, dims) ||
        !table_fits(p.sines, p.x, dims) || !halves.can(p.cosines) || !halves.can(p.sines))
      continue;
    std::vector<ir::Value*> inputs{p.x};
    for (ir::Value* table : {p.cosines, p.sines}) {
      PITH_ASSIGN(ir::Value * half, halves.make(node, table));
      PITH_ASSIGN(half, fitted(graph, node, half, p.x));
      inputs.push_back(half);
    }
    ir::Node* fused =
        graph.insert_before(node, node->name, schema::RotaryEmbeddingOptionsT{}, std::move(inputs));
    PITH_RETURN_IF_ERROR(ir::infer_node(*fused));
    fused->out()->name = node->out()->name;
    graph.replace_uses(node->out(), fused->out());
    report.fired(fused->name);
    erase_chain(graph, node);
  }
  return Status::ok();
}

}  // namespace pith
