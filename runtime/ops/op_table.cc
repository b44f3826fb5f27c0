// The table of all operators this build contains, indexed by schema tag; filled from op_list.inc (or the rows
// of it that were selected) at compile time.
#include <array>

#include "runtime/ops/op.h"
#include "runtime/ops/selected_ops.h"

namespace pith {

#define OP(Name, stem) extern const OpDef k##Name##Op;
#include PITH_OP_ROWS
#undef OP

namespace {
constexpr size_t kTagCount = static_cast<size_t>(schema::Op::MAX) + 1;

constexpr std::array<const OpDef*, kTagCount> make_table() {
  std::array<const OpDef*, kTagCount> table{};
#define OP(Name, stem) table[static_cast<size_t>(schema::Op::Name##Options)] = &k##Name##Op;
#include PITH_OP_ROWS
#undef OP
  return table;
}
constexpr auto kTable = make_table();
}  // namespace

const OpDef* find_op(schema::Op tag) {
  const auto index = static_cast<size_t>(tag);
  return index < kTagCount ? kTable[index] : nullptr;
}

}  // namespace pith
