// Text of collected problems.
#include "converter/import/diagnostics.h"

namespace pith {

Status Diagnostics::status() const {
  if (problems_.empty()) return Status::ok();
  std::string text =
      format("%zu problem%s in the model:", problems_.size(), problems_.size() == 1 ? "" : "s");
  for (size_t i = 0; i < problems_.size() && i < kShown; ++i) {
    const Problem& p = problems_[i];
    text += "\n  ";
    if (!p.node.empty()) text += "node '" + p.node + "' ";
    if (!p.op.empty()) text += "(" + p.op + ") ";
    if (!p.shapes.empty()) text += p.shapes + " ";
    text += p.reason;
    if (!p.suggestion.empty()) text += "\n      -> " + p.suggestion;
  }
  if (problems_.size() > kShown) text += format("\n  ... and %zu more", problems_.size() - kShown);
  bool malformed = false;
  for (const Problem& p : problems_) malformed = malformed || p.code != Code::unsupported;
  return Status(malformed ? Code::bad_file : Code::unsupported, text);
}

}  // namespace pith
