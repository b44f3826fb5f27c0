// Import of elementwise functions of two operands, and of those of any number as chains.
#include "converter/ops/import.h"

namespace pith {
namespace {

using Kind = schema::BinaryKind;

// Trailing dims of 1 so that dim 0 of b meets dim `axis` of a.
ir::Value* aligned(ImportContext& c, ir::Value* b, int64_t axis, int rank) {
  std::vector<int64_t> axes;
  for (int64_t d = b->shape.rank(); d < rank - axis; ++d) axes.push_back(d);
  if (axes.empty()) return b;
  return c.emit(schema::UnsqueezeOptionsT{}, {b, c.const_i64(axes)});
}

// Before opset 7 the second operand is repeated only on request, from `axis` on.
Result<ir::Value*> second_operand(ImportContext& c) {
  ir::Value* b = c.in(1);
  if (c.opset() >= 7 || c.attr_int("broadcast", 0) == 0 || !c.has_attr("axis")) return b;
  if (!c.in(0)->shape.has_rank() || !b->shape.has_rank())
    return c.unsupported("broadcasting by axis needs known ranks");
  const int rank = c.in(0)->shape.rank();
  const int64_t given = c.attr_int("axis", 0), axis = given < 0 ? given + rank : given;
  if (axis < 0 || axis + b->shape.rank() > rank) return c.malformed("axis does not fit the operands");
  return aligned(c, b, axis, rank);
}

Status two(ImportContext& c, Kind kind) {
  if (!c.has(0) || !c.has(1)) return c.malformed("an operand is missing");
  PITH_ASSIGN(ir::Value * b, second_operand(c));
  c.set_out(0, c.binary(kind, c.in(0), b));
  return Status::ok();
}
template <Kind kind>
Status plain(ImportContext& c) {
  return two(c, kind);
}

Status mod(ImportContext& c) { return two(c, c.attr_int("fmod", 0) != 0 ? Kind::fmod : Kind::mod); }

Status bit_shift(ImportContext& c) {
  const std::string direction = c.attr_string("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") return c.malformed("direction = '" + direction + "'");
  return two(c, direction == "LEFT" ? Kind::shift_left : Kind::shift_right);
}

Status prelu(ImportContext& c) {
  if (!c.has(0) || !c.has(1)) return c.malformed("an operand is missing");
  ir::Value* slope = c.in(1);
  const Shape &x = c.in(0)->shape, &s = slope->shape;
  if (c.opset() < 7 && s.rank() == 1 && s[0] != 1 && x.rank() > 2) slope = aligned(c, slope, 1, x.rank());
  c.set_out(0, c.binary(Kind::prelu, c.in(0), slope));
  return Status::ok();
}

Result<ir::Value*> chain(ImportContext& c, Kind kind) {
  for (size_t i = 0; i < c.in_count(); ++i)
    if (!c.has(i)) return c.malformed("an operand is missing");
  if (c.in_count() == 0) return c.malformed("there are no operands");
  ir::Value* y = c.in(0);
  for (size_t i = 1; i < c.in_count(); ++i) y = c.binary(kind, y, c.in(i));
  return y;
}
template <Kind kind>
Status variadic(ImportContext& c) {
  PITH_ASSIGN(ir::Value * y, chain(c, kind));
  c.set_out(0, y);
  return Status::ok();
}
Status mean(ImportContext& c) {
  PITH_ASSIGN(ir::Value * sum, chain(c, Kind::add));
  const auto n = static_cast<double>(c.in_count());
  c.set_out(0, c.binary(Kind::div, sum, c.const_scalar(sum->dtype, n)));
  return Status::ok();
}

constexpr ImportRule kRules[] = {
    {"Add", plain<Kind::add>, 2},
    {"Sub", plain<Kind::sub>, 2},
    {"Mul", plain<Kind::mul>, 2},
    {"Div", plain<Kind::div>, 2},
    {"Pow", plain<Kind::pow>, 2},
    {"Mod", mod, 2},
    {"Equal", plain<Kind::equal>, 2},
    {"Less", plain<Kind::less>, 2},
    {"LessOrEqual", plain<Kind::less_equal>, 2},
    {"Greater", plain<Kind::greater>, 2},
    {"GreaterOrEqual", plain<Kind::greater_equal>, 2},
    {"And", plain<Kind::logical_and>, 2},
    {"Or", plain<Kind::logical_or>, 2},
    {"Xor", plain<Kind::logical_xor>, 2},
    {"BitwiseAnd", plain<Kind::bitwise_and>, 2},
    {"BitwiseOr", plain<Kind::bitwise_or>, 2},
    {"BitwiseXor", plain<Kind::bitwise_xor>, 2},
    {"BitShift", bit_shift, 2},
    {"PRelu", prelu, 2},
    {"Min", variadic<Kind::min>},
    {"Max", variadic<Kind::max>},
    {"Sum", variadic<Kind::add>},
    {"Mean", mean},
};

}  // namespace

std::span<const ImportRule> binary_imports() { return kRules; }

}  // namespace pith
