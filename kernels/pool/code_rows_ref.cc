// One code at a time, and the choice of a kernel.
#include "kernels/pool/code_rows.h"

namespace pith::kernels {

#define KERNEL(name, needs)                               \
  void max_of_rows_##name(const CodeRows& x, uint8_t* y); \
  void sum_of_rows_##name(const CodeRows& x, int32_t* sums);
#include "kernels/pool/code_rows_list.inc"
#undef KERNEL

void max_of_rows_ref(const CodeRows& x, uint8_t* y) {
  const uint8_t flip = x.is_signed ? 0x80 : 0;  // i8 codes in the order of u8 ones
  for (size_t i = 0; i < x.n; ++i) {
    uint8_t best = 0;
    for (size_t r = 0; r < x.count; ++r) {
      const auto code = static_cast<uint8_t>(x.rows[r][i] ^ flip);
      best = code > best ? code : best;
    }
    y[i] = static_cast<uint8_t>(best ^ flip);
  }
}

void sum_of_rows_ref(const CodeRows& x, int32_t* sums) {
  for (size_t i = 0; i < x.n; ++i) {
    int32_t sum = 0;
    for (size_t r = 0; r < x.count; ++r)
      sum += x.is_signed ? int32_t{static_cast<int8_t>(x.rows[r][i])} : int32_t{x.rows[r][i]};
    sums[i] = sum;
  }
}

CodeRowsKernels code_rows_kernels() {
  static constexpr CodeRowsKernel kAll[] = {
#define KERNEL(name, needs) {"code_rows_" #name, max_of_rows_##name, sum_of_rows_##name, needs},
#include "kernels/pool/code_rows_list.inc"
#undef KERNEL
  };
  return {kAll, sizeof kAll / sizeof *kAll};
}

const CodeRowsKernel& select_code_rows(Cpu cpu) { return best_of(code_rows_kernels(), cpu); }

}  // namespace pith::kernels
