// Which operators this build contains: all of op_list.inc, or those that PITH_OPS_FILE names (CMake writes their rows).
#pragma once
#include "pith/schema/ops_generated.h"

#if PITH_SELECTED_OPS
#define PITH_OP_ROWS "pith_selected_ops.inc"
#else
#define PITH_OP_ROWS "runtime/ops/op_list.inc"
#endif

namespace pith {

constexpr bool is_selected(schema::Op op) {
#define OP(Name, stem) \
  if (op == schema::Op::Name##Options) return true;
#include PITH_OP_ROWS
#undef OP
  return false;
}

}  // namespace pith
