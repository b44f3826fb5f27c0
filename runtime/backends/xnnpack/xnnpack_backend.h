// The XNNPACK backend: lowers one node to one or two XNNPACK operators (operator API, no subgraph).
// Only this folder includes xnnpack.h. How and why: docs/decisions/0003-xnnpack-by-operator.md.
#pragma once
#include "runtime/ops/op.h"

namespace pith {

// Takes the node (kernel, scratch and state are set in the context) or answers Code::unsupported with a short
// reason. Any other code is a real failure (out of memory, a bug).
Status prepare_xnnpack(const NodeView& node, PrepareContext& context);

// Of a node's state: bytes of codes it moves between u8 and i8 in every run; 0 for states of others.
uint64_t xnnpack_converted_bytes(const NodeState& state);

}  // namespace pith
