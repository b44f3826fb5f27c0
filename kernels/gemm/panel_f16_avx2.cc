// Products with weights in halves, AVX2: 6 rows by half a panel; a single row, of which most of the time is reading, by a whole one.
#include "kernels/gemm/panel_f16_tiles.h"

namespace pith::kernels {

void panel_f16_avx2(const PanelF16Args& a, Range panels, Range rows) {
  if (rows.end - rows.begin == 1) return f16_gemm<F32x8, 4, 1, F32x8>(a, panels, rows);
  f16_gemm<F32x8, 2, 6, F32x8>(a, panels, rows);
}

}  // namespace pith::kernels
