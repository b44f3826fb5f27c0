// Two neighbouring rows, weighted: what linear resizing of 8-bit codes is made of.
//   to_floats   y[i] = wa a[i] + wb b[i]                                     a, b: codes, i8 or u8
//   to_codes    y[i] = saturate(round_half_even(wa a[i] + wb b[i]))          a, b: floats
// Two products and a sum, nothing fused: every kernel gives the bits of resize_axis_ref. Nothing outside [0, n) is read or written;
// y overlaps neither a nor b.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/kernel_list.h"

namespace pith::kernels {

struct BlendWeights {
  float a, b;
};
struct BlendCodesKernel {
  const char* name;
  void (*to_floats)(const uint8_t* a, const uint8_t* b, BlendWeights w, float* y, size_t n, bool is_signed);
  void (*to_codes)(const float* a, const float* b, BlendWeights w, uint8_t* y, size_t n, bool is_signed);
  uint32_t needs;  // Cpu bits
};
using BlendCodesKernels = KernelList<BlendCodesKernel>;
BlendCodesKernels blend_codes_kernels();  // best first; the last needs nothing
const BlendCodesKernel& select_blend_codes(Cpu cpu);

}  // namespace pith::kernels
