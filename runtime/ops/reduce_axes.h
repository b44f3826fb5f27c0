// The axes of a Reduce node. Defined in reduce_op.cc.
#pragma once
#include "runtime/ops/op.h"

namespace pith {

// Bit d: axis d is reduced. Needs the value of input 1 and the rank of input 0.
Status read_reduce_mask(const NodeView& node, uint32_t* mask);

}  // namespace pith
