// Import of Transpose.
#include "converter/ops/import.h"

namespace pith {
namespace {

Status import_transpose(ImportContext& c) {
  std::vector<uint32_t> perm;
  for (int64_t p : c.attr_ints("perm")) {
    if (p < 0 || p >= kMaxRank) return c.malformed("perm has an entry outside the rank");
    perm.push_back(static_cast<uint32_t>(p));
  }
  if (!c.has_attr("perm")) {  // the default reverses the dims
    if (!c.in(0)->shape.has_rank())
      return c.unsupported("the rank of the input is unknown and perm is missing");
    for (int d = c.in(0)->shape.rank(); d-- > 0;) perm.push_back(static_cast<uint32_t>(d));
  }
  c.set_out(0, c.transpose(c.in(0), perm));
  return Status::ok();
}

}  // namespace

std::span<const ImportRule> transpose_imports() {
  static constexpr ImportRule kRules[] = {{"Transpose", import_transpose}};
  return kRules;
}

}  // namespace pith
