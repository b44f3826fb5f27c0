// Which operators this build contains: all of op_list.inc, or those that PITH_OPS_FILE names (CMake writes their rows).
#pragma once
#include <array>
#include <cstddef>

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

// A backend's table: the functions of operators that this build lacks become null, so that nothing refers to them and the
// linker leaves them out. `function` is the member that holds them.
template <class Row, size_t n, class Function>
constexpr std::array<Row, n> selected(const Row (&rows)[n], Function Row::*function) {
  auto kept = std::to_array(rows);
  for (Row& row : kept)
    if (!is_selected(row.op)) row.*function = nullptr;
  return kept;
}

}  // namespace pith
