// Vector kernels of code arithmetic: code_arithmetic() does what code_arithmetic_ref() does, with the bytes it gives, and
// leaves each run along the innermost dim of the broadcast to a kernel.
#pragma once
#include "kernels/base/kernel_list.h"
#include "kernels/elementwise/code_arithmetic.h"

namespace pith::kernels {

struct CodeRun {
  const uint8_t *a, *b;   // bytes of codes
  size_t a_step, b_step;  // 1, or 0: one code for all
  uint8_t* y;             // may be a or b where that one has step 1
  size_t n;
  float scale;  // of a product: requant_scale
};
using CodeRunFn = void (*)(const CodeArithmetic& c, const CodeRun& run);
struct CodeRunKernel {
  const char* name;
  CodeRunFn fn;
  uint32_t needs;  // Cpu bits
};
using CodeRunKernels = KernelList<CodeRunKernel>;
CodeRunKernels code_run_kernels();  // best first; the last needs nothing
const CodeRunKernel& select_code_run(Cpu cpu);

void code_arithmetic(const CodeArithmetic& c, const CodeRunKernel& kernel, Range elements);

}  // namespace pith::kernels
