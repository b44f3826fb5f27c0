// Import of Where.
#include "converter/ops/import.h"

namespace pith {
namespace {

Status where(ImportContext& c) {
  c.set_out(0, c.emit(schema::WhereOptionsT{}, {c.in(0), c.in(1), c.in(2)}));
  return Status::ok();
}
constexpr ImportRule kRules[] = {{"Where", where, 3}};

}  // namespace

std::span<const ImportRule> where_imports() { return kRules; }

}  // namespace pith
