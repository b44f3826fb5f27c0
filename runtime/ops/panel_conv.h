// Convolution of float x with packed weights: the patches under the window, quantized row by row on the way, times panels
// read in place. The reference and the pith backend run the same code with different kernels.
#pragma once
#include "runtime/ops/op.h"

namespace pith {

// Element types, one group, and that the bias is among the packed bytes.
Status check_panel_conv(const NodeView& node);
// Chooses the kernel that `cpu` can run and asks for scratch. owner: NodeState::owner.
Status prepare_panel_conv(const NodeView& node, PrepareContext& context, Cpu cpu, const char* owner);

}  // namespace pith
