// Sums, differences and products of quantized tensors in integers: bit for bit what XNNPACK computes, so that
// a node gives the same codes whoever runs it. a, b, y: i8 or u8 alike, one scale and zero point each.
//
//   sum      e = floor(log2(max(ra, rb))), ra = a_scale / y_scale, rb = b_scale / y_scale, s = 20 - e
//            fa = round(ra 2^s), fb = round(rb 2^s)                    at most 2^21; difference: -fb
//            y = clamp(((a - a_zero) fa + (b - b_zero) fb + 2^(s-1)) >> s) + y_zero)
//   product  y = requantize((a - a_zero) (b - b_zero), a_scale b_scale / y_scale)    kernels/base/requant.h
// The sum is within 2^-11 of a step of the exact one before rounding; ties go up.
// y may be the same memory as an operand of the same shape.
#pragma once
#include "kernels/base/types.h"
#include "kernels/elementwise/broadcast.h"

namespace pith::kernels {

struct CodeGrid {
  float scale;
  int32_t zero;
};
enum class CodeOperation : uint8_t { sum, difference, product };

struct CodeArithmetic {
  CodeOperation operation;
  bool is_signed;  // i8, else u8
  const void* a;
  const void* b;
  void* y;
  Broadcast shape;
  CodeGrid a_grid, b_grid, y_grid;
  int32_t lo, hi;  // clamp, in codes
  // Filled by make_code_factors.
  int32_t a_factor, b_factor, bias, shift;
};

// False when scales are so far apart that the fixed-point sum does not hold; then nothing may be run.
bool make_code_factors(CodeArithmetic* c);
// Elements [begin, end) of y.
void code_arithmetic_ref(const CodeArithmetic& c, Range elements);

}  // namespace pith::kernels
