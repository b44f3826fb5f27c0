// One function per operator family; the table in pith_backend.cc maps operator tags to them. Each takes the node
// (context.use, request_scratch, keep) or declines. Called with every dim known and no dim 0.
#pragma once
#include "runtime/ops/op.h"

namespace pith {

// Answer of a function that leaves the node to the next backend. reason: static storage, a half sentence.
inline Status leave(const char* reason) { return Status(Code::unsupported, reason); }

// Kernels that need nothing are scalar: XNNPACK's are faster, unless a cap (PITH_ISA) leaves it out. For nodes whose bytes
// do not depend on who runs them.
inline bool worth_taking(uint32_t needs, Cpu cpu) { return needs != Cpu::none || cpu.capped; }
inline Status leave_scalar() { return leave("no vector kernel for this processor"); }

Status own_fully_connected(const NodeView& node, PrepareContext& context);

inline constexpr const char* kPithOwner = "pith";  // NodeState::owner of this backend

}  // namespace pith
