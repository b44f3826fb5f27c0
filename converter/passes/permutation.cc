// Permutation algebra.
#include "converter/passes/permutation.h"

#include "converter/ir/evaluate.h"

namespace pith {

Permutation inverse(const Permutation& perm) {
  Permutation inv(perm.size());
  for (uint32_t i = 0; i < perm.size(); ++i) inv[perm[i]] = i;
  return inv;
}

Permutation compose(const Permutation& first, const Permutation& second) {
  Permutation both(first.size());
  for (uint32_t i = 0; i < first.size(); ++i) both[i] = first[second[i]];
  return both;
}

bool is_identity(const Permutation& perm) {
  for (uint32_t i = 0; i < perm.size(); ++i)
    if (perm[i] != i) return false;
  return true;
}

bool keeps_order(const Permutation& perm, const Shape& x) {
  if (!x.has_rank() || x.rank() != static_cast<int>(perm.size())) return false;
  int64_t last = -1;
  for (uint32_t p : perm) {
    if (x[static_cast<int>(p)] == 1) continue;
    if (static_cast<int64_t>(p) < last) return false;
    last = p;
  }
  return true;
}

const Permutation* transposed_by(const ir::Value* v) {
  if (v == nullptr || v->producer == nullptr) return nullptr;
  const auto* o = v->producer->as<schema::TransposeOptionsT>();
  return o == nullptr ? nullptr : &o->perm;
}

Result<ir::Value*> transposed(ir::Graph& graph, ir::Node* before, ir::Value* v, const Permutation& perm) {
  schema::TransposeOptionsT o;
  o.perm = perm;
  ir::Node* node = graph.insert_before(before, graph.unique_name(v->name + "/transposed"), std::move(o), {v});
  ir::Value* out = node->out();
  PITH_RETURN_IF_ERROR(ir::infer_node(*node));
  if (v->quant) {
    out->quant = v->quant;
    if (v->quant->axis >= 0)
      out->quant->axis = static_cast<int>(inverse(perm)[static_cast<size_t>(v->quant->axis)]);
  }
  PITH_RETURN_IF_ERROR(ir::fold_node(graph, node).status());
  return out;
}

}  // namespace pith
