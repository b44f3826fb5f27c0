// The backend of our own vector kernels: reads packed weights in place and picks the kernel the processor allows.
#pragma once
#include "runtime/ops/op.h"

namespace pith {

// Takes the node (kernel, scratch and state are set in the context) or answers Code::unsupported with a short
// reason. Any other code is a real failure.
Status prepare_pith(const NodeView& node, PrepareContext& context);

}  // namespace pith
