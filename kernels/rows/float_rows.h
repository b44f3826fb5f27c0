// Float functions of whole rows with vectors. x and y may be the same memory; nothing outside the rows is read or written.
//   layer_norm, rms_norm   formulas: kernels/norm/layer_norm.h; sums in float
//   softmax                y = exp(x - max x) / sum
//   rotate                 as rotate_ref of kernels/attention/attention.h
//   swiglu                 y = gate * sigmoid(gate) * up
// Every kernel gives the bits of the plain one: sums have 16 lanes (i % 16) and a fixed tree, exp is that of vector_math.h,
// nothing is fused. ARMv7 alone makes zeros of results below 2^-126.
//
// Error (u = 2^-24, L = n / 16 + 5 additions on the way of an element):
//   layer_norm  |y - exact| <= |scale| u ((4 L + 16) S + 8) + |bias| u with S = 1 + max |x| / sigma, while sums of squares are finite
//   rms_norm    relative (L + 8) u
//   softmax     relative (L + 2 |x - max| + 10) u, and 0 where exp(x - max) is below e^-87.3
//   swiglu      relative 10 u, absolute |gate up| e^-87.3
#pragma once
#include "kernels/base/kernel_list.h"
#include "kernels/norm/layer_norm.h"

namespace pith::kernels {

struct SoftmaxRows {
  const float* x;
  float* y;
  size_t n;
};
struct RotateRow {
  const float *x, *cosines, *sines;
  float* y;
  size_t half, size;
  bool interleaved;
};

struct FloatRowsKernel {
  const char* name;
  uint32_t needs;  // Cpu bits
  void (*layer_norm)(const LayerNormArgs& a, Range rows);
  void (*rms_norm)(const LayerNormArgs& a, Range rows);  // bias and mean are not used
  void (*softmax)(const SoftmaxRows& a, Range rows);
  void (*rotate)(const RotateRow& a);
  void (*swiglu)(const float* gate, const float* up, float* y, size_t n);
};
#define KERNEL(isa, needs) extern const FloatRowsKernel kFloatRows_##isa;
#include "kernels/rows/float_rows_list.inc"
#undef KERNEL
using FloatRowsKernels = KernelList<const FloatRowsKernel*>;
FloatRowsKernels float_rows_kernels();  // best first; the last needs nothing
const FloatRowsKernel& select_float_rows(Cpu cpu);

}  // namespace pith::kernels
