// Products with weights in halves, AVX-512: 12 rows by a whole panel.
#include "kernels/gemm/panel_f16_tiles.h"

namespace pith::kernels {

void panel_f16_avx512vnni(const PanelF16Args& a, Range panels, Range rows) {
  f16_gemm<F32x16, 2, 12, F32x8>(a, panels, rows);
}

}  // namespace pith::kernels
