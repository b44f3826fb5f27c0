// fold_constants: nodes whose inputs are all constant become constants, computed by the device's own kernels.
#include "converter/ir/evaluate.h"
#include "converter/passes/pass.h"

namespace pith {
Status fold_constants(ir::Graph& graph, PassReport& report) {
  for (ir::Node* node : graph.in_order()) {
    if (!graph.alive(node) || !ir::can_evaluate(*node, ir::kMaxFoldedBytes)) continue;
    const std::string name = node->name;
    PITH_ASSIGN(const bool folded, ir::fold_node(graph, node));
    if (folded) report.fired(name);
  }
  return Status::ok();
}

}  // namespace pith
