// remove_identities: nodes that hand their input on unchanged: Cast to the same type, Transpose by the
// identity, Reshape, Flatten and the like to the same known shape, and chains of two Reshapes (only the last
// one matters).
#include "converter/passes/pass.h"

namespace pith {
namespace {

bool is_reshape(const ir::Node& node) {
  return node.is(schema::Op::ReshapeOptions) || node.is(schema::Op::SqueezeOptions) ||
         node.is(schema::Op::UnsqueezeOptions) || node.is(schema::Op::FlattenOptions);
}

bool is_identity(const ir::Node& node) {
  const ir::Value* x = node.in(0);
  const ir::Value* y = node.out();
  if (node.is(schema::Op::CastOptions)) return x->dtype == y->dtype;
  if (const auto* o = node.as<schema::TransposeOptionsT>()) {
    for (uint32_t i = 0; i < o->perm.size(); ++i)
      if (o->perm[i] != i) return false;
    return true;
  }
  return is_reshape(node) && x->shape.is_known() && x->shape == y->shape;
}

}  // namespace

Status remove_identities(ir::Graph& graph, PassReport& report) {
  for (ir::Node* node : graph.in_order()) {
    if (!graph.alive(node) || node->out() == nullptr) continue;
    if (is_identity(*node)) {
      report.fired(node->name);
      graph.replace_uses(node->out(), node->in(0));
      graph.erase(node);
      continue;
    }
    // Reshape of a Reshape: the target shape is known, so the one between does not matter.
    ir::Node* before = node->in(0) == nullptr ? nullptr : node->in(0)->producer;
    if (before != nullptr && before->parent == node->parent && is_reshape(*node) && is_reshape(*before) &&
        node->out()->shape.is_known() && before->in(0)->shape.is_known()) {
      const auto dims = node->out()->shape.dims();
      ir::Node* direct =
          graph.insert_before(node, node->name, schema::ReshapeOptionsT{},
                              {before->in(0), graph.add_i64(graph.unique_name(node->name), dims)});
      direct->as<schema::ReshapeOptionsT>()->allow_zero = true;
      direct->out()->dtype = node->out()->dtype;
      direct->out()->shape = node->out()->shape;
      direct->out()->quant = node->out()->quant;
      report.fired(node->name);
      graph.replace_uses(node->out(), direct->out());
      graph.erase(node);
    }
  }
  return Status::ok();
}

}  // namespace pith
