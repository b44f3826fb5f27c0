// Products with packed weights, AVX2: 16-bit sums of byte products, widened and scaled by one vpmaddwd per group.
#include <immintrin.h>

#include "kernels/gemm/panel_i8c_words.h"
#include "kernels/gemm/ymm_vectors.h"

namespace pith::kernels {
namespace {

// 4-bit: a lane holds 16 products of at most 15 * 127 and starts at -8 sum(a). In between it may wrap; at the end of
// a group of 32 it is at most 16 * 8 * 127 = 16256. lut4: |w| times a with the sign of w; two products fit i16.
// 8-bit: words.
struct Avx2 : Ymm {
  static constexpr bool kReloadWeights = true;
  static constexpr size_t kCodesAhead = 16384;  // Zen 3: 3 % more from memory than 4608
  template <Layout L>
  static constexpr RowForm form() {
    return L == Layout::i8c   ? RowForm::grid_u8
           : L == Layout::i4a ? RowForm::pairs_sum
                              : RowForm::minus8_pairs;
  }
  PITH_INLINE static I ones() { return _mm256_set1_epi16(1); }
  template <Layout L>
  PITH_INLINE static I start(const int32_t* sums) {
    return uses_table(L) ? zero() : _mm256_set1_epi32(sums[0]);
  }
  template <Layout L, size_t j>
  PITH_INLINE static I dot(I i, I w, Acts codes) {
    const I a = broadcast(codes + 4 * j);
    if constexpr (!uses_table(L)) {
      i = _mm256_add_epi16(i, _mm256_maddubs_epi16(w, a));
      asm volatile("" : "+x"(i));  // GCC 12 else makes trees of the additions, and spills
      return i;
    }
    const I pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(a, w));
    return _mm256_add_epi32(i, _mm256_madd_epi16(pairs, ones()));
  }
  PITH_INLINE static I start8(int32_t zero, const int32_t* ksum) { return start8_with(-(zero + 128), ksum); }
  template <Layout L>
  PITH_INLINE static I finish(I i) {
    return uses_table(L) ? i : _mm256_madd_epi16(i, ones());
  }
  // The scale twice per channel, for both lanes.
  PITH_INLINE static Scales scales(const uint8_t* p) {
    const I twice = _mm256_set1_epi64x(0x0504050401000100);
    return _mm256_shuffle_epi8(_mm256_cvtepi8_epi32(load_bytes(p)), _mm256_add_epi8(twice, lane_offset()));
  }
  PITH_INLINE static I lane_offset() {
    return _mm256_setr_epi64x(0, 0x0808080808080808, 0, 0x0808080808080808);
  }
  template <Layout>
  PITH_INLINE static I apply(I acc, I i, Scales s) {
    return _mm256_add_epi32(acc, _mm256_madd_epi16(i, s));
  }
  PITH_INLINE static ZeroScales zero_scales(const uint8_t* s, Bytes z) {
    const I centred = _mm256_sub_epi16(_mm256_set1_epi32(8), _mm256_cvtepu8_epi32(z));  // high halves 0
    return _mm256_mullo_epi16(scales(s), centred);
  }
  PITH_INLINE static I apply_zero(I acc, ZeroScales z, const int32_t* sums) {
    return _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_set1_epi32(sums[1]), z));
  }
  PITH_INLINE static I look_up(I nibbles, Table t) { return _mm256_shuffle_epi8(t, nibbles); }
};

}  // namespace

void panel_i8c_avx2(const PanelGemmArgs& a, Range panels, Range rows) { words_gemm<Avx2>(a, panels, rows); }
// Four rows by two vectors: 8 sums; two vectors of weights from the first-level cache and a quad of codes for each step.
void panel_i4s8_avx2(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::i4s8, Avx2, TileShape<4, 6, 2>, Avx2, TileShape<1, 6, 1>>(a, panels, rows);
}
void panel_i4a_avx2(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::i4a, Avx2, TileShape<4, 6, 2>, Avx2, TileShape<1, 6, 1>>(a, panels, rows);
}
void panel_i4f16_avx2(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::i4f16, Avx2, TileShape<4, 6, 2>, Avx2, TileShape<1, 6, 1>>(a, panels, rows);
}
void panel_lut4_avx2(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::lut4, Avx2, TileShape<4, 1, 1>, Avx2, TileShape<1, 1, 1>>(a, panels, rows);
}
void panel_lut4s8_avx2(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::lut4s8, Avx2, TileShape<4, 1, 1>, Avx2, TileShape<1, 1, 1>>(a, panels, rows);
}

}  // namespace pith::kernels
