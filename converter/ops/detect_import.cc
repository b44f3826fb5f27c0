// Import of NonMaxSuppression and Einsum.
#include "converter/ops/import.h"

namespace pith {
namespace {

Status import_nms(ImportContext& c) {
  if (!c.has(0) || !c.has(1)) return c.malformed("needs boxes and scores");
  schema::NonMaxSuppressionOptionsT o;
  o.center_point_box = c.attr_int("center_point_box", 0) != 0;
  std::vector<ir::Value*> inputs;
  for (size_t i = 0; i < c.in_count(); ++i) inputs.push_back(c.in(i));
  c.set_out(0, c.emit(o, inputs));
  return Status::ok();
}

Status import_einsum(ImportContext& c) {
  schema::EinsumOptionsT o;
  o.equation = c.attr_string("equation", "");
  std::vector<ir::Value*> inputs;
  for (size_t i = 0; i < c.in_count(); ++i) {
    if (!c.has(i)) return c.malformed("an operand is missing");
    inputs.push_back(c.in(i));
  }
  if (inputs.empty()) return c.malformed("needs an operand");
  c.set_out(0, c.emit(o, inputs));
  return Status::ok();
}

}  // namespace

std::span<const ImportRule> detect_imports() {
  static constexpr ImportRule kRules[] = {{"NonMaxSuppression", import_nms, 2}, {"Einsum", import_einsum}};
  return kRules;
}

}  // namespace pith
