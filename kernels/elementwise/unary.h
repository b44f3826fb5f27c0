// Elementwise functions of one operand: y[i] = f(x[i]); the functions are the rows of unary_list.inc.
//   float types: every row; is_nan and is_inf give 0 or 1.     integers: abs neg sign relu clip bitwise_not
//   logical_not: any type, gives 0 or 1.
// f32 x and y may be the same memory; so may any x and y of equal element size.
#pragma once
#include "kernels/elementwise/block.h"

namespace pith::kernels {

enum class UnaryKind : uint8_t {
#define FLOAT_UNARY(name, steps, formula) name,
#define OTHER_UNARY(name) name,
#include "kernels/elementwise/unary_list.inc"
#undef FLOAT_UNARY
#undef OTHER_UNARY
  kCount
};

struct UnaryArgs {
  UnaryKind kind;
  Lane x, y;  // y: same type as x, or bool; quantized together
  float alpha, beta;
};

// Is there a kernel for this function on this storage type (not quantized)?
bool has_unary(UnaryKind kind, DType dtype);
// Elements [begin, end); begin even for 4-bit types.
void unary_ref(const UnaryArgs& a, Range elements);
// One value in double: for tables over quantized codes. Only for FLOAT_UNARY rows; others give NaN.
double unary_value(UnaryKind kind, double x, double alpha, double beta);
// y code for each x code, index = the byte of the x code: dequantize, f, round half to even, saturate. i8 or
// u8 lanes.
void make_unary_table(const UnaryArgs& a, uint8_t table[256]);

}  // namespace pith::kernels
