// move_transposes: pushes every Transpose towards the outputs until it meets its inverse and both vanish.
//   before:  Conv ─ T ─ Relu ─ T' ─ Conv      after:  Conv ─ Relu ─ Conv           (T' = T inverse)
// One walk in execution order: a node whose large inputs all come from the same Transpose is done on the
// untransposed values, and its results are transposed instead. Fires only where the operator has the same
// meaning in any order of dims once its own axes are renamed (permute_node.cc); constants and small operands
// are transposed the other way.
#include "converter/ir/evaluate.h"
#include "converter/passes/pass.h"
#include "converter/passes/permutation.h"
#include "converter/passes/permute_node.h"

namespace pith {
namespace {

// The permutation shared by the inputs that carry data, or null.
const Permutation* common_permutation(const ir::Node& node, const std::vector<size_t>& data_inputs) {
  const Permutation* common = nullptr;
  for (size_t i : data_inputs) {
    const Permutation* p = transposed_by(node.in(i));
    if (p == nullptr) continue;
    if (common != nullptr && *common != *p) return nullptr;
    common = p;
  }
  return common;
}

// An operand that is not transposed itself may join when turning it around is free.
bool can_turn(const ir::Value* v, const Permutation& perm) {
  if (transposed_by(v) != nullptr) return *transposed_by(v) == perm;
  if (!v->shape.has_rank() || v->shape.rank() > static_cast<int>(perm.size())) return false;
  if (v->shape.is_known() && v->shape.count() == 1) return true;
  if (v->is_constant()) return true;
  return v->shape.rank() == static_cast<int>(perm.size()) && keeps_order(inverse(perm), v->shape);
}

// The operand as it must be read beside untransposed data.
Result<ir::Value*> turned(ir::Graph& graph, ir::Node* node, ir::Value* v, const Permutation& perm) {
  if (transposed_by(v) != nullptr) return v->producer->in(0);
  if (v->shape.is_known() && v->shape.count() == 1 && v->shape.rank() < static_cast<int>(perm.size()))
    return v;
  if (v->shape.rank() <
      static_cast<int>(perm.size())) {  // a constant of lower rank: give it its leading ones
    ir::Value* full = graph.add_constant(graph.unique_name(v->name), v->dtype, Shape{}, *v->constant);
    full->shape = Shape::of_rank(static_cast<int>(perm.size()) - v->shape.rank(), 1);
    for (int64_t d : v->shape.dims()) full->shape.push_back(d);
    full->quant = v->quant;
    v = full;
  }
  return transposed(graph, node, v, inverse(perm));
}

// node(T(x), ..) -> T(node'(x, ..)).
Result<bool> push(ir::Graph& graph, ir::Node* node) {
  const std::vector<size_t> data = data_inputs_of(*node);
  const Permutation* common = common_permutation(*node, data);
  if (common == nullptr || node->out() == nullptr) return false;
  const Permutation perm = *common;
  for (const ir::Value* v : node->outputs)
    if (v != nullptr && (!v->shape.has_rank() || v->shape.rank() != static_cast<int>(perm.size())))
      return false;
  for (size_t i : data)
    if (!can_turn(node->in(i), perm)) return false;
  if (!permute_options(graph, *node, perm)) return false;

  for (size_t i : data) {
    PITH_ASSIGN(ir::Value * v, turned(graph, node, node->in(i), perm));
    graph.set_input(node, i, v);
  }
  std::vector<std::optional<ir::Quant>> quants;
  for (ir::Value*& out : node->outputs) {
    if (out == nullptr) continue;
    ir::Value* inner = graph.add_value(graph.unique_name(out->name), out->dtype);
    inner->quant = out->quant;
    if (inner->quant && inner->quant->axis >= 0)
      inner->quant->axis = static_cast<int>(perm[static_cast<size_t>(inner->quant->axis)]);
    ir::Value* outer = out;
    outer->producer = nullptr;
    out = inner;
    inner->producer = node;
    schema::TransposeOptionsT o;
    o.perm = perm;
    ir::Node* t =
        graph.insert_after(node, graph.unique_name(outer->name + "/transpose"), std::move(o), {inner});
    graph.replace_output(t, 0, outer);
  }
  PITH_RETURN_IF_ERROR(ir::infer_node(*node));
  return true;
}

// T2(T1(x)) -> one Transpose, or x itself.
bool merge(ir::Graph& graph, ir::Node* node) {
  auto* o = node->as<schema::TransposeOptionsT>();
  const Permutation* before = o == nullptr ? nullptr : transposed_by(node->in(0));
  if (before == nullptr) return false;
  o->perm = compose(*before, o->perm);
  graph.set_input(node, 0, node->in(0)->producer->in(0));
  return true;
}

// A Transpose that moves only dims of size 1 is a Reshape: no data moves, and Reshapes merge.
Result<bool> into_reshape(ir::Graph& graph, ir::Node* node) {
  const auto* o = node->as<schema::TransposeOptionsT>();
  const ir::Value* x = node->in(0);
  if (o == nullptr || is_identity(o->perm) || !keeps_order(o->perm, x->shape)) return false;
  int unknown = 0;
  std::vector<int64_t> dims;
  for (int64_t d : node->out()->shape.dims()) {
    unknown += d < 0;
    dims.push_back(d);
  }
  if (unknown > 1) return false;
  ir::Node* reshape =
      graph.insert_before(node, graph.unique_name(node->name), schema::ReshapeOptionsT{},
                          {node->in(0), graph.add_i64(graph.unique_name(node->name + "/dims"), dims)});
  ir::Value* out = node->out();
  reshape->out()->dtype = out->dtype;
  reshape->out()->shape = out->shape;
  reshape->out()->quant = out->quant;
  graph.replace_uses(out, reshape->out());
  graph.erase(node);
  return true;
}

}  // namespace

Status move_transposes(ir::Graph& graph, PassReport& report) {
  for (ir::Node* node : graph.in_order()) {
    if (!graph.alive(node)) continue;
    if (node->as<schema::TransposeOptionsT>() != nullptr) {
      if (merge(graph, node)) report.fired(node->name);
      const auto* o = node->as<schema::TransposeOptionsT>();
      if (is_identity(o->perm)) {
        graph.replace_uses(node->out(), node->in(0));
        graph.erase(node);
      }
      continue;
    }
    PITH_ASSIGN(const bool pushed, push(graph, node));
    if (pushed) report.fired(node->name);
  }
  // Pushing inserted new Transposes behind the walk; settle what they met.
  for (ir::Node* node : graph.in_order()) {
    if (!graph.alive(node) || node->as<schema::TransposeOptionsT>() == nullptr) continue;
    merge(graph, node);
    if (is_identity(node->as<schema::TransposeOptionsT>()->perm)) {
      graph.replace_uses(node->out(), node->in(0));
      graph.erase(node);
      continue;
    }
    PITH_ASSIGN(const bool reshaped, into_reshape(graph, node));
    if (reshaped) report.fired("reshape");
  }
  PassReport leftovers;
  return remove_dead_code(graph, leftovers);
}

}  // namespace pith
