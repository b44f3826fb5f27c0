// FullyConnected over packed weights: float x, quantized on the way, times panels read in place. The reference and the pith
// backend run the same code with different kernels.
#pragma once
#include "runtime/ops/op.h"

namespace pith {

inline bool has_panels(const NodeView& node) { return node.has(1) && node.in(1).layout != Layout::row_major; }
// Element types, and that the bias is among the packed bytes.
Status check_panel_product(const NodeView& node);
// Chooses the kernel that `cpu` can run and asks for scratch. owner: NodeState::owner.
Status prepare_panel_product(const NodeView& node, PrepareContext& context, Cpu cpu, const char* owner);

}  // namespace pith
