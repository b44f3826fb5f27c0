// Table lookup one code at a time, and the choice of a kernel.
#include "kernels/lookup/code_table.h"

namespace pith::kernels {

#define KERNEL(name, needs) \
  void code_table_##name(const uint8_t* x, uint8_t* y, size_t n, const uint8_t* table);
#include "kernels/lookup/code_table_list.inc"
#undef KERNEL

void code_table_ref(const uint8_t* x, uint8_t* y, size_t n, const uint8_t* table) {
  for (size_t i = 0; i < n; ++i) y[i] = table[x[i]];
}

CodeTableKernels code_table_kernels() {
  static constexpr CodeTableKernel kAll[] = {
#define KERNEL(name, needs) {"code_table_" #name, code_table_##name, needs},
#include "kernels/lookup/code_table_list.inc"
#undef KERNEL
  };
  return {kAll, sizeof kAll / sizeof *kAll};
}

const CodeTableKernel& select_code_table(Cpu cpu) { return best_of(code_table_kernels(), cpu); }

}  // namespace pith::kernels
