// Sums, differences and products of 8-bit codes: what kernels/elementwise/code_arithmetic.h needs, from a Binary node.
#pragma once
#include "kernels/elementwise/code_arithmetic.h"
#include "runtime/ops/op.h"

namespace pith {

// Operation, grids, clamp and factors. False: not such a node, or scales too far apart.
bool read_code_arithmetic(const NodeView& node, kernels::CodeArithmetic* c);
// Data and broadcast; the output is not empty.
void bind_code_arithmetic(const NodeView& node, kernels::CodeArithmetic* c);

}  // namespace pith
