// Products with weights in halves, in plain loops, and the choice of kernels.
#include <cstring>

#include "kernels/gemm/dot_tile.h"
#include "kernels/gemm/panel_f16.h"

namespace pith::kernels {
namespace {

constexpr PanelF16Kernel kAll[] = {
#define KERNEL(fn, needs, fused) {#fn, needs, fused, fn},
#include "kernels/gemm/panel_f16_list.inc"
#undef KERNEL
};

}  // namespace

void panel_f16_ref(const PanelF16Args& a, Range panels, Range rows) {
  const size_t n = a.w.n, k_end = a.w.k;
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const PanelShape& shape = p + 1 == a.w.panels ? a.w.last : a.w.full;
    const uint8_t* panel = a.w.bytes + p * a.w.full.bytes;
    const size_t first = p * kPanelWidth, count = n - first < shape.width ? n - first : shape.width;
    for (size_t row = rows.begin; row < rows.end; ++row) {
      const float* x = a.x + row * k_end;
      float f[kPanelWidth] = {}, w[kPanelWidth], bias[kPanelWidth];
      f16 halves[kPanelWidth];
      for (size_t k = 0; k < k_end; ++k) {
        std::memcpy(halves, panel + k * 2 * shape.width, 2 * shape.width);
        widen_halves(halves, w, shape.width);
        for (size_t c = 0; c < shape.width; ++c) f[c] += x[k] * w[c];
      }
      std::memcpy(bias, panel + shape.tail, count * sizeof(float));
      for (size_t c = 0; c < count; ++c) {
        float v = f[c] + bias[c];
        v = v < a.clamp_min ? a.clamp_min : v;
        a.y[row * n + first + c] = v > a.clamp_max ? a.clamp_max : v;
      }
    }
  }
}

PanelF16Kernels panel_f16_kernels() { return {kAll, sizeof kAll / sizeof kAll[0]}; }
const PanelF16Kernel& select_panel_f16(Cpu cpu) { return best_of(panel_f16_kernels(), cpu); }

}  // namespace pith::kernels
