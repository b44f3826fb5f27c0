// Any function of one 8-bit code as a table: y[i] = table[x[i]], the index being the byte of the code.
// x and y may be the same memory. Nothing outside [0, n) is read or written.
//
// Vectors look up 16 entries at a time (AVX2), 64 (NEON of 64-bit processors) or 128 (AVX-512 VBMI); results are bytes of the table, so equal everywhere.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/kernel_list.h"

namespace pith::kernels {

using CodeTableFn = void (*)(const uint8_t* x, uint8_t* y, size_t n, const uint8_t* table);
struct CodeTableKernel {
  const char* name;
  CodeTableFn fn;
  uint32_t needs;  // Cpu bits
};
using CodeTableKernels = KernelList<CodeTableKernel>;
CodeTableKernels code_table_kernels();  // best first; the last needs nothing
const CodeTableKernel& select_code_table(Cpu cpu);

}  // namespace pith::kernels
