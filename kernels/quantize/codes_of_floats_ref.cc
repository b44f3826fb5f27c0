// Quantizing one float at a time, and the choice of a kernel.
#include "kernels/quantize/codes_of_floats.h"

#include "kernels/base/requant.h"

namespace pith::kernels {

#define KERNEL(name, needs) \
  void codes_of_floats_##name(const float* x, uint8_t* y, size_t n, const FloatGrid& grid);
#include "kernels/quantize/codes_of_floats_list.inc"
#undef KERNEL

void codes_of_floats_ref(const float* x, uint8_t* y, size_t n, const FloatGrid& g) {
  for (size_t i = 0; i < n; ++i)
    y[i] = static_cast<uint8_t>(quantize(x[i], g.scale, g.zero, g.lo, g.lo + 255));
}

CodesOfFloatsKernels codes_of_floats_kernels() {
  static constexpr CodesOfFloatsKernel kAll[] = {
#define KERNEL(name, needs) {"codes_of_floats_" #name, codes_of_floats_##name, needs},
#include "kernels/quantize/codes_of_floats_list.inc"
#undef KERNEL
  };
  return {kAll, sizeof kAll / sizeof *kAll};
}

const CodesOfFloatsKernel& select_codes_of_floats(Cpu cpu) { return best_of(codes_of_floats_kernels(), cpu); }

}  // namespace pith::kernels
