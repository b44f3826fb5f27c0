// Products with packed weights for 64-bit ARM with dot products: one sdot takes 4 channels x 4 k, activations by lane.
#define PITH_SDOT 1
#include "kernels/gemm/neon_vectors.h"

namespace pith::kernels {
namespace {

struct NeonDot : NeonBase {
  template <Layout>
  using Sum = Acc;
  using Sum8 = Acc;
  struct Acts {
    int8x16_t quads[2];
  };
  using Acts8 = int8x16_t;
  static constexpr size_t kSteps = 4;

  template <Layout L>
  static constexpr RowForm form() {
    return L == Layout::i8c ? RowForm::grid : L == Layout::i4a ? RowForm::minus8_sum : RowForm::minus8;
  }
  PITH_INLINE static Acts acts(const int8_t* codes) { return {{vld1q_s8(codes), vld1q_s8(codes + 16)}}; }
  PITH_INLINE static Acts8 acts8(const int8_t* codes) { return vld1q_s8(codes); }
  template <Layout L>
  PITH_INLINE static Acc start(const int32_t* sums) {
    return L == Layout::lut4 ? zero() : vld1q_dup_s32(sums);
  }
  template <Layout, size_t j>
  PITH_INLINE static Acc dot(Acc i, W w, const Acts& a) {
    return vdotq_laneq_s32(i, w, a.quads[j / 4], j % 4);
  }
  template <Layout>
  PITH_INLINE static Acc finish(Acc i) {
    return i;
  }
  template <Layout>
  PITH_INLINE static Acc apply(Acc acc, Acc i, Scales s) {
    return vmlaq_s32(acc, i, s);
  }
  PITH_INLINE static Acc apply_zero(Acc acc, ZeroScales z, const int32_t* sums) {
    return vmlaq_s32(acc, z, vdupq_n_s32(static_cast<int16_t>(sums[1] & 0xffff)));
  }
  PITH_INLINE static Sum8 zero8() { return zero(); }
  template <size_t j>
  PITH_INLINE static Sum8 dot8(Sum8 i, W w, Acts8 a) {
    return vdotq_laneq_s32(i, w, a, j);
  }
  PITH_INLINE static Acc finish8(Sum8 i) { return i; }
  PITH_INLINE static Acc start8(int32_t zero_point, const int32_t* ksum) {
    return vmulq_s32(vdupq_n_s32(-zero_point), vld1q_s32(ksum));
  }
};

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

}  // namespace pith::kernels
