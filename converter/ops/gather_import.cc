// Import of operators that pick or place elements by index: the Gather and Scatter families, OneHot, NonZero.
#include "converter/ops/import.h"

namespace pith {
namespace {

Status gather(ImportContext& c) {
  schema::GatherOptionsT o;
  o.axis = static_cast<int>(c.attr_int("axis", 0));
  c.set_out(0, c.emit(std::move(o), {c.in(0), c.in(1)}));
  return Status::ok();
}

Status gather_elements(ImportContext& c) {
  schema::GatherElementsOptionsT o;
  o.axis = static_cast<int>(c.attr_int("axis", 0));
  c.set_out(0, c.emit(std::move(o), {c.in(0), c.in(1)}));
  return Status::ok();
}

Status gather_nd(ImportContext& c) {
  schema::GatherNdOptionsT o;
  const int64_t batch = c.attr_int("batch_dims", 0);
  if (batch < 0 || batch >= kMaxRank) return c.malformed("batch_dims is outside the rank");
  o.batch_dims = static_cast<uint32_t>(batch);
  c.set_out(0, c.emit(std::move(o), {c.in(0), c.in(1)}));
  return Status::ok();
}

Status read_reduction(ImportContext& c, schema::ScatterReduction* out) {
  static constexpr const char* kNames[] = {"none", "add", "mul", "max", "min"};
  const std::string name = c.attr_string("reduction", "none");
  for (size_t i = 0; i < std::size(kNames); ++i)
    if (name == kNames[i]) {
      *out = static_cast<schema::ScatterReduction>(i);
      return Status::ok();
    }
  return c.malformed("unknown reduction '" + name + "'");
}

Status scatter_elements(ImportContext& c) {
  schema::ScatterElementsOptionsT o;
  o.axis = static_cast<int>(c.attr_int("axis", 0));
  PITH_RETURN_IF_ERROR(read_reduction(c, &o.reduction));
  c.set_out(0, c.emit(std::move(o), {c.in(0), c.in(1), c.in(2)}));
  return Status::ok();
}

Status scatter_nd(ImportContext& c) {
  schema::ScatterNdOptionsT o;
  PITH_RETURN_IF_ERROR(read_reduction(c, &o.reduction));
  c.set_out(0, c.emit(std::move(o), {c.in(0), c.in(1), c.in(2)}));
  return Status::ok();
}

Status one_hot(ImportContext& c) {
  schema::OneHotOptionsT o;
  o.axis = static_cast<int>(c.attr_int("axis", -1));
  c.set_out(0, c.emit(std::move(o), {c.in(0), c.in(1), c.in(2)}));
  return Status::ok();
}

Status non_zero(ImportContext& c) {
  c.set_out(0, c.emit(schema::NonZeroOptionsT{}, {c.in(0)}));
  return Status::ok();
}

}  // namespace

std::span<const ImportRule> gather_imports() {
  static constexpr ImportRule kRules[] = {
      {"Gather", gather, 2},
      {"GatherElements", gather_elements, 2},
      {"GatherND", gather_nd, 2},
      {"NonZero", non_zero},
      {"OneHot", one_hot, 3},
      {"Scatter", scatter_elements, 3},
      {"ScatterElements", scatter_elements, 3},
      {"ScatterND", scatter_nd, 3},
  };
  return kRules;
}

}  // namespace pith
