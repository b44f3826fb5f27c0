// y[m, n] = clamp(sum over k of x[m, k] * w[n, k] + bias[n]) with weights in layout f16_panel, read in place; all in f32.
//
//   f = 0;  per k, rising:  f = x[m, k] * w[n, k] + f in one rounding (fused kernels) or two;   y = clamp(f + bias[n])
// Kernels of one sort give the same bits, whatever the partition; fused ones are those of AVX2, AVX-512 and 64-bit ARM: two
// roundings would cost a third of the speed of many rows.
// Error: |y - exact| <= (K + 2) u sum |x w| + u |bias|, u = 2^-24.
#pragma once
#include "kernels/base/kernel_list.h"
#include "kernels/gemm/panel_gemm.h"

namespace pith::kernels {

struct PanelF16Args {
  PanelWeights w;            // layout f16_panel
  const float* x = nullptr;  // [m, w.k]
  float* y = nullptr;        // [m, w.n]
  float clamp_min = 0, clamp_max = 0;
};
// Computes the given rows of the given panels; any partition of both gives the same results.
using PanelF16Fn = void (*)(const PanelF16Args&, Range panels, Range rows);
struct PanelF16Kernel {
  const char* name;
  uint32_t needs;  // Cpu bits
  bool fused;
  PanelF16Fn fn;
};
#define KERNEL(fn, needs, fused) void fn(const PanelF16Args&, Range panels, Range rows);
#include "kernels/gemm/panel_f16_list.inc"
#undef KERNEL
using PanelF16Kernels = KernelList<PanelF16Kernel>;
PanelF16Kernels panel_f16_kernels();
const PanelF16Kernel& select_panel_f16(Cpu cpu);

}  // namespace pith::kernels
