// fold_constants: nodes whose inputs are all constant become constants, computed by the device's own kernels.
// Dequantized constants stay until fuse_qdq has looked for integer operators; fold_dequantized takes what is
// left.
#include "converter/ir/evaluate.h"
#include "converter/passes/pass.h"

namespace pith {
namespace {

Status fold(ir::Graph& graph, PassReport& report, bool dequantize_too) {
  for (ir::Node* node : graph.in_order()) {
    if (!graph.alive(node) || !ir::can_evaluate(*node, ir::kMaxFoldedBytes)) continue;
    if (!dequantize_too && node->is(schema::Op::DequantizeOptions)) continue;
    const std::string name = node->name;
    PITH_ASSIGN(const bool folded, ir::fold_node(graph, node));
    if (folded) report.fired(name);
  }
  return Status::ok();
}

}  // namespace

Status fold_constants(ir::Graph& graph, PassReport& report) { return fold(graph, report, false); }
Status fold_dequantized(ir::Graph& graph, PassReport& report) { return fold(graph, report, true); }

}  // namespace pith
