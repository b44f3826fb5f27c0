// Floats to 8-bit codes on one grid, as kernels/base/requant.h defines it (the division is one):
//   y[i] = clamp(round_half_even(x[i] / scale) + zero, lo, lo + 255), lo = -128 (i8) or 0 (u8); NaN gives lo.
// Nothing outside [0, n) is read or written; x and y must not overlap.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/kernel_list.h"

namespace pith::kernels {

struct FloatGrid {
  float scale;
  int32_t zero;  // within the codes' range
  int32_t lo;
};
using CodesOfFloatsFn = void (*)(const float* x, uint8_t* y, size_t n, const FloatGrid& grid);
struct CodesOfFloatsKernel {
  const char* name;
  CodesOfFloatsFn fn;
  uint32_t needs;  // Cpu bits
};
using CodesOfFloatsKernels = KernelList<CodesOfFloatsKernel>;
CodesOfFloatsKernels codes_of_floats_kernels();  // best first; the last needs nothing
const CodesOfFloatsKernel& select_codes_of_floats(Cpu cpu);

}  // namespace pith::kernels
