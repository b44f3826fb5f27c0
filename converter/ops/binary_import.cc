// Import of elementwise functions of two tensors, and of the variadic ones as chains.
#include "converter/ops/import.h"

namespace pith {
namespace {

using schema::BinaryKind;

// Before opset 7 broadcasting was an attribute: the second operand's dims start at `axis` of the first's.
ir::Value* old_broadcast(ImportContext& c) {
  ir::Value* b = c.in(1);
  if (c.opset() >= 7 || c.attr_int("broadcast", 0) == 0 || !c.has_attr("axis")) return b;
  const int rank = c.in(0)->shape.rank();
  const int64_t axis = c.attr_int("axis", 0) < 0 ? c.attr_int("axis", 0) + rank : c.attr_int("axis", 0);
  std::vector<int64_t> dims;
  for (int64_t d : b->shape.dims()) dims.push_back(d);
  while (static_cast<int64_t>(dims.size()) + axis < rank) dims.push_back(1);
  return c.reshape(b, dims);
}

template <BinaryKind kind>
Status plain(ImportContext& c) {
  if (!c.has(0) || !c.has(1)) return c.malformed("takes two inputs");
  c.set_out(0, c.binary(kind, c.in(0), old_broadcast(c)));
  return Status::ok();
}

Status mod(ImportContext& c) {
  c.set_out(0, c.binary(c.attr_int("fmod", 0) != 0 ? BinaryKind::fmod : BinaryKind::mod, c.in(0), c.in(1)));
  return Status::ok();
}

Status bit_shift(ImportContext& c) {
  const std::string direction = c.attr_string("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") return c.malformed("direction must be LEFT or RIGHT");
  c.set_out(
      0, c.binary(direction == "LEFT" ? BinaryKind::shift_left : BinaryKind::shift_right, c.in(0), c.in(1)));
  return Status::ok();
}

// The slope broadcasts to x in one direction only; a per-channel slope [C,1,1] is the usual one.
Status prelu(ImportContext& c) {
  if (!c.has(0) || !c.has(1)) return c.malformed("takes two inputs");
  ir::Value* slope = c.in(1);
  if (c.opset() < 7 && slope->shape.rank() == 1 && c.in(0)->shape.rank() > 2) {  // channels, dim 1
    std::vector<int64_t> dims(static_cast<size_t>(c.in(0)->shape.rank() - 1), 1);
    dims[0] = slope->shape[0];
    slope = c.reshape(slope, dims);
  }
  c.set_out(0, c.binary(BinaryKind::prelu, c.in(0), slope));
  return Status::ok();
}

template <BinaryKind kind, bool mean>
Status variadic(ImportContext& c) {
  if (c.in_count() == 0) return c.malformed("takes at least one input");
  ir::Value* y = c.in(0);
  for (size_t i = 1; i < c.in_count(); ++i) {
    if (!c.has(i)) return c.malformed("an input is missing");
    y = c.binary(kind, y, c.in(i));
  }
  if (mean && c.in_count() > 1)
    y = c.binary(BinaryKind::div, y, c.const_scalar(y->dtype, static_cast<double>(c.in_count())));
  c.set_out(0, y);
  return Status::ok();
}

Status where(ImportContext& c) {
  c.set_out(0, c.emit(schema::WhereOptionsT{}, {c.in(0), c.in(1), c.in(2)}));
  return Status::ok();
}

}  // namespace

std::span<const ImportRule> binary_imports() {
  static constexpr ImportRule kRules[] = {
      {"Add", plain<BinaryKind::add>},
      {"And", plain<BinaryKind::logical_and>},
      {"BitShift", bit_shift},
      {"BitwiseAnd", plain<BinaryKind::bitwise_and>},
      {"BitwiseOr", plain<BinaryKind::bitwise_or>},
      {"BitwiseXor", plain<BinaryKind::bitwise_xor>},
      {"Div", plain<BinaryKind::div>},
      {"Equal", plain<BinaryKind::equal>},
      {"Greater", plain<BinaryKind::greater>},
      {"GreaterOrEqual", plain<BinaryKind::greater_equal>},
      {"Less", plain<BinaryKind::less>},
      {"LessOrEqual", plain<BinaryKind::less_equal>},
      {"Max", variadic<BinaryKind::max, false>},
      {"Mean", variadic<BinaryKind::add, true>},
      {"Min", variadic<BinaryKind::min, false>},
      {"Mod", mod},
      {"Mul", plain<BinaryKind::mul>},
      {"Or", plain<BinaryKind::logical_or>},
      {"PRelu", prelu},
      {"Pow", plain<BinaryKind::pow>},
      {"Sub", plain<BinaryKind::sub>},
      {"Sum", variadic<BinaryKind::add, false>},
      {"Where", where},
      {"Xor", plain<BinaryKind::logical_xor>},
  };
  return kRules;
}

}  // namespace pith
