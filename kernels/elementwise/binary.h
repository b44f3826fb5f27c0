// Elementwise functions of two operands with numpy broadcasting: y[i] = clamp(f(a[i'], b[i''])); the
// functions are the rows of binary_list.inc.
//   integers   wrap; div truncates; x / 0, x mod 0 and shifts by less than 0 or more than 63 give 0
//   logic      on bool, gives bool;  comparisons give bool;  bitwise and shifts on integers
//   quantized  8-bit codes: computed on the real numbers in float, rounded half to even, saturated
// y may be the same memory as an operand of the same shape and element size.
#pragma once
#include "kernels/elementwise/block.h"
#include "kernels/elementwise/broadcast.h"

namespace pith::kernels {

enum class BinaryKind : uint8_t {
#define FLOAT_BINARY(name, steps, formula) name,
#define OTHER_BINARY(name) name,
#include "kernels/elementwise/binary_list.inc"
#undef FLOAT_BINARY
#undef OTHER_BINARY
  kCount
};

struct BinaryArgs {
  BinaryKind kind;
  Lane a, b, y;  // a and b of one type, except pow; y: that type (pow: of a), or bool
  Broadcast shape;
  float clamp_min, clamp_max;  // floats and quantized only; -inf, inf: none
};

constexpr bool is_comparison(BinaryKind k) {
  return k >= BinaryKind::equal && k <= BinaryKind::greater_equal;
}
constexpr bool is_logical(BinaryKind k) {
  return k >= BinaryKind::logical_and && k <= BinaryKind::logical_xor;
}

// Is there a kernel for this function on operands of these storage types (not quantized)?
bool has_binary(BinaryKind kind, DType a, DType b);
// Elements [begin, end) of y.
void binary_ref(const BinaryArgs& a, Range elements);

}  // namespace pith::kernels
