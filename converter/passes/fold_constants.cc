// fold_constants: nodes whose inputs are all constant become constants, computed by the device's own kernels.
// Dequantized constants stay until fuse_qdq has looked for integer operators; fold_dequantized takes what is
// left.
#include "converter/passes/fold_constants.h"

#include "converter/ir/evaluate.h"
#include "converter/passes/pass.h"

namespace pith {

static bool reads_constants_only(const ir::Node& node) {
  for (const ir::Value* v : node.inputs)
    if (v != nullptr && !v->is_constant()) return false;
  return !node.is(schema::Op::IfOptions);
}

Status fold_all(ir::Graph& graph, PassReport& report, bool dequantize_too) {
  for (ir::Node* node : graph.in_order()) {
    if (!graph.alive(node)) continue;
    // Folding what computes a shape argument makes a result's shape known.
    if (reads_constants_only(*node) && node->out() != nullptr && !node->out()->shape.is_known())
      PITH_RETURN_IF_ERROR(ir::infer_node(*node));
    if (!ir::can_fold(*node)) continue;
    if (!dequantize_too && node->is(schema::Op::DequantizeOptions)) continue;
    const std::string name = node->name;
    PITH_ASSIGN(const bool folded, ir::fold_node(graph, node));
    if (folded) report.fired(name);
  }
  return Status::ok();
}

Status fold_constants(ir::Graph& graph, PassReport& report) { return fold_all(graph, report, false); }

}  // namespace pith
