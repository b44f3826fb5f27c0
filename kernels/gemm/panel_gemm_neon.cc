// Products with packed weights for NEON without dot products: ARMv7 and ARMv8.0.
#include "kernels/gemm/neon_vectors.h"

namespace pith::kernels {
namespace {

#if defined(__aarch64__)
using Full = TileShape<4, 4, 2>;  // 32 registers
#else
using Full = TileShape<2, 2, 1>;  // 16 registers
#endif
using Narrow = TileShape<2, 2, 1>;

}  // namespace

void panel_i8c_neon(const PanelGemmArgs& a, Range panels, Range rows) {
  i8c_gemm<Neon, Full, Neon, Narrow>(a, panels, rows);
}
void panel_i4s8_neon(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::i4s8, Neon, Full, Neon, Narrow>(a, panels, rows);
}
void panel_i4a_neon(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::i4a, Neon, Full, Neon, Narrow>(a, panels, rows);
}
void panel_i4f16_neon(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::i4f16, Neon, Full, Neon, Narrow>(a, panels, rows);
}
void panel_lut4_neon(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::lut4, Neon, Full, Neon, Narrow>(a, panels, rows);
}
void panel_lut4s8_neon(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::lut4s8, Neon, Full, Neon, Narrow>(a, panels, rows);
}

}  // namespace pith::kernels
