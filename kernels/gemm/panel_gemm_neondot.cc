// Products with packed weights for 64-bit ARM with dot products: one sdot takes 4 channels x 4 k, activations by lane.
#define PITH_SDOT 1
#include "kernels/gemm/neon_vectors.h"

namespace pith::kernels {
namespace {

using Full = TileShape<4, 4, 4>;   // 16 sums, 8 registers of activations, weights from the first cache
using Full8 = TileShape<8, 8, 2>;  // 16 sums, 8 registers of activations, 2 of weights
using Narrow = TileShape<2, 4, 2>;

}  // namespace

void panel_i8c_neondot(const PanelGemmArgs& a, Range panels, Range rows) {
  i8c_gemm<NeonDot, Full8, NeonDot, Narrow>(a, panels, rows);
}
void panel_i4s8_neondot(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::i4s8, NeonDot, Full, NeonDot, Narrow>(a, panels, rows);
}
void panel_i4a_neondot(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::i4a, NeonDot, Full, NeonDot, Narrow>(a, panels, rows);
}
void panel_i4f16_neondot(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::i4f16, NeonDot, Full, NeonDot, Narrow>(a, panels, rows);
}
void panel_lut4_neondot(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::lut4, NeonDot, Full, NeonDot, Narrow>(a, panels, rows);
}
void panel_lut4s8_neondot(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::lut4s8, NeonDot, Full, NeonDot, Narrow>(a, panels, rows);
}

}  // namespace pith::kernels
