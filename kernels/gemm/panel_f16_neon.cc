// Products with weights in halves, NEON: 4 rows by 16 channels on 64 bits, where there are 32 registers, else 2 by 16.
#include "kernels/gemm/panel_f16_tiles.h"

namespace pith::kernels {

void panel_f16_neon(const PanelF16Args& a, Range panels, Range rows) {
#if defined(__aarch64__)
  f16_gemm<F32x4, 4, 4, F32x4>(a, panels, rows);
#else
  f16_gemm<F32x4, 4, 2, F32x4>(a, panels, rows);
#endif
}

}  // namespace pith::kernels
