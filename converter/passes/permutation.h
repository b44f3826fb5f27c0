// Permutations of dims, and transposed copies of values, for the layout passes.
#pragma once
#include <cstdint>
#include <vector>

#include "converter/ir/graph.h"

namespace pith {

using Permutation = std::vector<uint32_t>;  // Transpose: y dim d is x dim perm[d]

Permutation inverse(const Permutation& perm);
// Transpose by `first`, then by `second`.
Permutation compose(const Permutation& first, const Permutation& second);
bool is_identity(const Permutation& perm);
// True when transposing only moves dims of size 1: the bytes stay in order.
bool keeps_order(const Permutation& perm, const Shape& x);
// The permutation when `v` is made by a Transpose, else null.
const Permutation* transposed_by(const ir::Value* v);

// A value equal to `v` transposed, made right before `before`; constants are computed at once.
Result<ir::Value*> transposed(ir::Graph& graph, ir::Node* before, ir::Value* v, const Permutation& perm);

}  // namespace pith
