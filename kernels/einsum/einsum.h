// Einstein summation by its definition:
//   y[o_0 ..] = sum over s_0 .. of the product of all operands at (o, s)
// Every operand has one stride per label: 0 where it lacks the label, the sum of its strides where it has it twice.
#pragma once
#include "kernels/base/types.h"

namespace pith::kernels {

inline constexpr int kEinsumMaxLabels = 24, kEinsumMaxOperands = 16;

struct EinsumArgs {
  DType dtype = DType::f32;  // f32 (summed in double), f64, i32, i64 (both wrap)
  int operands = 1;
  const void* x[kEinsumMaxOperands] = {};
  void* y = nullptr;               // dense in the order of the output labels; must not overlap an operand
  int out_labels = 0, labels = 0;  // output labels come first
  size_t dims[kEinsumMaxLabels] = {};
  size_t stride[kEinsumMaxOperands][kEinsumMaxLabels] = {};  // in elements
};
// Elements of y.
void einsum_ref(const EinsumArgs& a, Range elements);

}  // namespace pith::kernels
