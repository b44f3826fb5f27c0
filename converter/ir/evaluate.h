// Shapes and constants by the device's own code: one shape rule and one arithmetic in the project.
#pragma once
#include "converter/ir/graph.h"

namespace pith::ir {

// Sets dtype and shape of the node's outputs (unknown where they depend on values not known here). For an If:
// what both branches agree on. Errors: bad_file, or unsupported when no operator takes these types.
Status infer_node(Node& node);

// True when every input is a constant (or the result depends on shapes only, and those are known) and the
// result has at most max_bytes.
bool can_evaluate(const Node& node, size_t max_bytes);

// Runs the node by the reference kernels. One Bytes per output (empty for unused ones).
Result<std::vector<Bytes>> evaluate_node(Node& node);

inline constexpr size_t kMaxFoldedBytes = size_t{256} << 20;
// can_evaluate within kMaxFoldedBytes, or a transposed matrix of a model's data file, which is made when it is needed.
bool can_fold(const Node& node);
// evaluate_node + constants in place of the outputs; the node is erased. Returns false when it cannot be
// evaluated.
Result<bool> fold_node(Graph& graph, Node* node);

}  // namespace pith::ir
