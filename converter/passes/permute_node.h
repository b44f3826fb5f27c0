// Which operators mean the same when the dims of their operands are renamed, and how their axes follow.
#pragma once
#include <vector>

#include "converter/passes/permutation.h"

namespace pith {

// Indices of the inputs that carry tensors of the data's rank (not axes, scales, pads ...); empty: not
// permutable.
std::vector<size_t> data_inputs_of(const ir::Node& node);

// The node reads T(x) with T = `perm`; changes its options and its constant arguments so that it may read x
// and give results that T must be applied to. False, and nothing changed, when that is not possible.
bool permute_options(ir::Graph& graph, ir::Node& node, const Permutation& perm);

}  // namespace pith
