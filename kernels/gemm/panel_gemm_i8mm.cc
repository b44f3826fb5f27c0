// Products with packed weights for 64-bit ARM with i8mm: smmla takes 2 rows x 2 channels x 8 k; one zip per weight vector
// brings the panels into its order. A single row takes sdot.
#define PITH_SDOT 1
#include "kernels/gemm/neon_vectors.h"

namespace pith::kernels {
namespace {

struct NeonMm : NeonDot {
  static constexpr bool kPairs = true;
  struct Pair {
    int8x16_t eights[4];  // 8 codes of the first row, 8 of the second
  };
  PITH_INLINE static int8x16_t eight(int8x16_t a, int8x16_t b, bool upper) {
    const int64x2_t x = vreinterpretq_s64_s8(a), y = vreinterpretq_s64_s8(b);
    return vreinterpretq_s8_s64(upper ? vzip2q_s64(x, y) : vzip1q_s64(x, y));
  }
  PITH_INLINE static Pair pair(const int8_t* first, const int8_t* second) {
    const int8x16_t a0 = vld1q_s8(first), a1 = vld1q_s8(first + 16);
    const int8x16_t b0 = vld1q_s8(second), b1 = vld1q_s8(second + 16);
    return {{eight(a0, b0, false), eight(a0, b0, true), eight(a1, b1, false), eight(a1, b1, true)}};
  }
  PITH_INLINE static W pair8(const int8_t* first, const int8_t* second) {
    return vcombine_s8(vld1_s8(first), vld1_s8(second));
  }
  PITH_INLINE static W join_low(W even, W odd) {
    return vreinterpretq_s8_s32(vzip1q_s32(vreinterpretq_s32_s8(even), vreinterpretq_s32_s8(odd)));
  }
  PITH_INLINE static W join_high(W even, W odd) {
    return vreinterpretq_s8_s32(vzip2q_s32(vreinterpretq_s32_s8(even), vreinterpretq_s32_s8(odd)));
  }
  template <Layout L>
  PITH_INLINE static Acc pair_start(const int32_t* first, const int32_t* second) {
    if constexpr (uses_table(L))
      return zero();
    else
      return vcombine_s32(vld1_dup_s32(first), vld1_dup_s32(second));
  }
  PITH_INLINE static Acc pair_product(Acc i, W w, W rows) { return vmmlaq_s32(i, rows, w); }
  template <size_t s>
  PITH_INLINE static Acc pair_dot(Acc i, W w, const Pair& p) {
    return pair_product(i, w, p.eights[s]);
  }
  PITH_INLINE static Acc first_row(Acc low, Acc high) {
    return vreinterpretq_s32_s64(vzip1q_s64(vreinterpretq_s64_s32(low), vreinterpretq_s64_s32(high)));
  }
  PITH_INLINE static Acc second_row(Acc low, Acc high) {
    return vreinterpretq_s32_s64(vzip2q_s64(vreinterpretq_s64_s32(low), vreinterpretq_s64_s32(high)));
  }
};

using Full = TileShape<4, 8, 2>;  // 16 sums of 2 x 2
using Narrow = TileShape<2, 8, 2>;

}  // namespace

void panel_i8c_i8mm(const PanelGemmArgs& a, Range panels, Range rows) {
  i8c_gemm<NeonMm, TileShape<8, 8, 2>, NeonMm, Narrow>(a, panels, rows);
}
void panel_i4s8_i8mm(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::i4s8, NeonMm, Full, NeonMm, Narrow>(a, panels, rows);
}
void panel_i4a_i8mm(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::i4a, NeonMm, Full, NeonMm, Narrow>(a, panels, rows);
}
void panel_i4f16_i8mm(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::i4f16, NeonMm, Full, NeonMm, Narrow>(a, panels, rows);
}
void panel_lut4_i8mm(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::lut4, NeonMm, Full, NeonMm, Narrow>(a, panels, rows);
}
void panel_lut4s8_i8mm(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::lut4s8, NeonMm, Full, NeonMm, Narrow>(a, panels, rows);
}

}  // namespace pith::kernels
