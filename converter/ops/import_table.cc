// All import rules, sorted by source type.
#include <algorithm>
#include <cstring>

#include "converter/ops/import.h"

namespace pith {

#define IMPORT(stem) std::span<const ImportRule> stem##_imports();
#include "converter/ops/import_list.inc"
#undef IMPORT

std::span<const ImportRule* const> all_imports() {
  static const std::vector<const ImportRule*> kSorted = [] {
    std::vector<const ImportRule*> rules;
#define IMPORT(stem) \
  for (const ImportRule& rule : stem##_imports()) rules.push_back(&rule);
#include "converter/ops/import_list.inc"
#undef IMPORT
    std::sort(rules.begin(), rules.end(),
              [](const ImportRule* a, const ImportRule* b) { return std::strcmp(a->type, b->type) < 0; });
    return rules;
  }();
  return kSorted;
}

const ImportRule* find_import(const std::string& type) {
  const auto rules = all_imports();
  const auto at =
      std::lower_bound(rules.begin(), rules.end(), type,
                       [](const ImportRule* rule, const std::string& t) { return rule->type < t; });
  return at != rules.end() && type == (*at)->type ? *at : nullptr;
}

}  // namespace pith
