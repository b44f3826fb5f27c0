// Rows of 8-bit codes, channel by channel: the largest and the sum. What pooling and means over pixels are made of.
// Rows have n bytes, nothing outside is read; results are exact, so equal on every ISA.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/kernel_list.h"

namespace pith::kernels {

struct CodeRows {
  const uint8_t* const* rows;
  size_t count;  // 1 .. 2^23
  size_t n;
  bool is_signed;  // i8, else u8
};
using MaxOfRowsFn = void (*)(const CodeRows& x, uint8_t* y);
using SumOfRowsFn = void (*)(const CodeRows& x, int32_t* sums);
struct CodeRowsKernel {
  const char* name;
  MaxOfRowsFn max;
  SumOfRowsFn sum;
  uint32_t needs;  // Cpu bits
};
using CodeRowsKernels = KernelList<CodeRowsKernel>;
CodeRowsKernels code_rows_kernels();  // best first; the last needs nothing
const CodeRowsKernel& select_code_rows(Cpu cpu);
void max_of_rows_ref(const CodeRows& x, uint8_t* y);
void sum_of_rows_ref(const CodeRows& x, int32_t* sums);

}  // namespace pith::kernels
