// Import of Softmax, LogSoftmax and Hardmax.
#include "converter/ops/import.h"

namespace pith {
namespace {

// Before opset 13 the operator worked on all dims from `axis` on, seen as one.
template <schema::SoftmaxKind kind>
Status softmax(ImportContext& c) {
  if (!c.has(0)) return c.malformed("takes one input");
  ir::Value* x = c.in(0);
  schema::SoftmaxOptionsT o;
  o.kind = kind;
  if (c.opset() >= 13) {
    o.axis = static_cast<int>(c.attr_int("axis", -1));
    c.set_out(0, c.emit(std::move(o), {x}));
    return Status::ok();
  }
  if (!x->shape.has_rank())
    return c.unsupported("the rank of the input is unknown", "export with opset 13 or newer");
  const int rank = x->shape.rank();
  const auto given = static_cast<int>(c.attr_int("axis", 1));
  const int axis = given < 0 ? given + rank : given;
  if (axis < 0 || axis > rank) return c.malformed("axis is outside the rank");
  if (axis == rank - 1) {
    o.axis = axis;
    c.set_out(0, c.emit(std::move(o), {x}));
    return Status::ok();
  }
  bool plain = true;  // all dims behind the first are 1: the flattened dim is the axis itself
  for (int d = axis + 1; d < rank; ++d) plain = plain && x->shape[d] == 1;
  if (plain && axis < rank) {
    o.axis = axis;
    c.set_out(0, c.emit(std::move(o), {x}));
    return Status::ok();
  }
  schema::FlattenOptionsT flatten;
  flatten.axis = axis;
  o.axis = 1;
  ir::Value* y = c.emit(std::move(o), {c.emit(std::move(flatten), {x})});
  schema::ReshapeOptionsT back;
  back.allow_zero = true;
  c.set_out(0, c.emit(std::move(back), {y, c.emit(schema::ShapeOptionsT{}, {x})}));
  return Status::ok();
}

}  // namespace

std::span<const ImportRule> softmax_imports() {
  static constexpr ImportRule kRules[] = {{"Hardmax", softmax<schema::SoftmaxKind::hardmax>},
                                          {"LogSoftmax", softmax<schema::SoftmaxKind::log_softmax>},
                                          {"Softmax", softmax<schema::SoftmaxKind::softmax>}};
  return kRules;
}

}  // namespace pith
