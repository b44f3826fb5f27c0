// y[m, n] = clamp(sum over k of x[m, k] * w[n, k] + bias[n]) with packed weights and 8-bit activations.
//
//   const PanelGemmKernel& kernel = select_panel_gemm(Layout::i4s8, cpu);
//   RowCodes x = place_row_codes(kernel.form, m, k, scratch);           select_row_quantizer(cpu).fn(...)
//   kernel.fn({panel_weights(matrix, bytes, codebook), x, y, -INFINITY, INFINITY}, panels, rows);
//
// Exactly this is computed, by every kernel, so that results are equal bit for bit (a: codes, q: group of 32 in k):
//   i8c           y = float(sum a' w) * (grid.scale * scale[n]) + bias[n],   a' = a - grid.zero, the sum modulo 2^32
//   i4s8, i4a     f = 0;  per block of 128 k:  f = f + d[block] * float(sum over its q of s[group of q] * sum (u - z) a)
//                 y = f * scale[n] + bias[n]
//   i4f16, lut4   f = 0;  per weight group:    f = f + float(sum code * a) * (s[group] * d[block])
//                 y = f + bias[n]
//   lut4s8        likewise with float(s[group]):  y = f * scale[n] + bias[n]
// Integer sums cannot wrap (i8c: K <= 65536). Every float operation is rounded by itself: nothing is fused.
#pragma once
#include "kernels/base/panel_layout.h"
#include "kernels/gemm/row_codes.h"

namespace pith::kernels {

// The planes of a panel, in bytes from its start; see panel_layout.h.
struct PanelShape {
  size_t width = 0, bytes = 0, scales = 0, zeros = 0, tail = 0, scale_row = 0, zero_row = 0;
};
struct PanelWeights {
  const uint8_t* bytes = nullptr;
  const int8_t* codebook = nullptr;  // of layouts with a table
  Layout layout = Layout::row_major;
  size_t n = 0, k = 0, panels = 0;
  size_t code_rows = 0;     // of 4 (i8c) or 8 (4-bit) k each
  size_t group_blocks = 1;  // weight group in units of 32 k
  PanelShape full, last;    // last: the panel panels - 1, which may be narrower
};
// m has no panel_fault().
PanelWeights panel_weights(const PanelMatrix& m, const void* bytes, const int8_t* codebook);

struct PanelGemmArgs {
  PanelWeights w;
  RowCodes x;
  float* y = nullptr;  // [x.m, w.n]
  float clamp_min = 0, clamp_max = 0;
};
// Computes the given rows of the given panels; any partition of both gives the same results.
using PanelGemmFn = void (*)(const PanelGemmArgs&, Range panels, Range rows);
struct PanelGemmKernel {
  const char* name;
  Layout layout;
  uint32_t needs;  // Cpu bits
  RowForm form;    // of its activations
  PanelGemmFn fn;
};
#define KERNEL(fn, layout, needs, form) void fn(const PanelGemmArgs&, Range panels, Range rows);
#include "kernels/gemm/panel_gemm_list.inc"
#undef KERNEL
// The best kernel for the layout that the processor can run, or null for a layout without kernels.
const PanelGemmKernel* select_panel_gemm(Layout layout, Cpu cpu);
// All of them, for tests and benchmarks.
using PanelGemmKernels = KernelList<PanelGemmKernel>;
PanelGemmKernels panel_gemm_kernels();

}  // namespace pith::kernels
