// Products with packed weights, AVX-512 VNNI: full panels as two 512-bit vectors, narrow ones as 256-bit vectors.
#include <immintrin.h>

#define PITH_DPBUSD _mm256_dpbusd_epi32
#define PITH_DPWSSD _mm256_dpwssd_epi32
#include "kernels/gemm/ymm_vectors.h"

namespace pith::kernels {
namespace {

struct Zmm {
  using I = __m512i;
  using F = __m512;
  using W = I;
  using Acc = I;
  using Sum8 = I;
  using Acts = const int8_t*;
  using Acts8 = Acts;
  template <Layout>
  using Sum = I;
  using Bytes = __m128i;
  using Table = __m512i;
  using Scales = __m512i;
  using ZeroScales = __m512i;
  static constexpr size_t kLanes = 16, kBytes = 64, kSteps = 1;
  static constexpr bool kPairs = false, kRolled = false;

  template <Layout L>
  static constexpr RowForm form() {
    return YmmVnni::form<L>();
  }
  PITH_INLINE static I zero() { return _mm512_setzero_si512(); }
  PITH_INLINE static I zero8() { return zero(); }
  PITH_INLINE static I finish8(I i) { return i; }
  PITH_INLINE static Acts acts(const int8_t* codes) { return codes; }
  PITH_INLINE static Acts8 acts8(const int8_t* codes) { return codes; }
  PITH_INLINE static I load(const uint8_t* p) { return _mm512_loadu_si512(p); }
  PITH_INLINE static I load_i(const int32_t* p) { return _mm512_loadu_si512(p); }
  PITH_INLINE static void store_i(int32_t* p, I v) { _mm512_storeu_si512(p, v); }
  PITH_INLINE static F load_f(const float* p) { return _mm512_loadu_ps(p); }
  PITH_INLINE static void store_f(float* p, F v) { _mm512_storeu_ps(p, v); }
  PITH_INLINE static F splat_f(float x) { return _mm512_set1_ps(x); }
  PITH_INLINE static F cvt(I v) { return _mm512_cvtepi32_ps(v); }
  PITH_INLINE static F add(F a, F b) { return _mm512_add_ps(a, b); }
  PITH_INLINE static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  PITH_INLINE static I add_i(I a, I b) { return _mm512_add_epi32(a, b); }
  PITH_INLINE static F clamp(F v, F lo, F hi) { return _mm512_min_ps(hi, _mm512_max_ps(lo, v)); }
  PITH_INLINE static I low(I x) { return _mm512_and_si512(x, _mm512_set1_epi8(15)); }
  PITH_INLINE static I high(I x) { return low(_mm512_srli_epi16(x, 4)); }
  PITH_INLINE static I broadcast(const int8_t* p) {
    int32_t four;
    __builtin_memcpy(&four, p, 4);
    return _mm512_set1_epi32(four);
  }
  PITH_INLINE static F halves(const uint8_t* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(static_cast<const void*>(p))));
  }
  PITH_INLINE static F bytes(const uint8_t* p) { return cvt(_mm512_cvtepi8_epi32(load_16(p))); }
  PITH_INLINE static __m128i load_16(const uint8_t* p) {
    return _mm_loadu_si128(static_cast<const __m128i*>(static_cast<const void*>(p)));
  }
  PITH_INLINE static Bytes nibbles(const uint8_t* p, bool high_ones) {
    const __m128i x = load_16(p), mask = _mm_set1_epi8(15);
    return high_ones ? _mm_and_si128(_mm_srli_epi16(x, 4), mask) : _mm_and_si128(x, mask);
  }
  PITH_INLINE static Table table(const int8_t* codebook) {
    if (codebook == nullptr) return zero();
    const __m128i t = _mm_loadu_si128(static_cast<const __m128i*>(static_cast<const void*>(codebook)));
    return _mm512_broadcast_i32x4(_mm_xor_si128(t, _mm_set1_epi8(-128)));
  }
  template <Layout>
  PITH_INLINE static I start(const int32_t* sums) {
    return _mm512_set1_epi32(sums[0]);
  }
  template <Layout, size_t j>
  PITH_INLINE static I dot(I i, I w, Acts a) {
    return _mm512_dpbusd_epi32(i, w, broadcast(a + 4 * j));
  }
  template <size_t j>
  PITH_INLINE static I dot8(I i, I w, Acts8 a) {
    return _mm512_dpbusd_epi32(i, broadcast(a + 4 * j), w);
  }
  PITH_INLINE static I start8(int32_t zero, const int32_t* ksum) {
    return _mm512_mullo_epi32(_mm512_set1_epi32(-(zero + 128)), load_i(ksum));
  }
  template <Layout>
  PITH_INLINE static I finish(I i) {
    return i;
  }
  PITH_INLINE static Scales scales(const uint8_t* p) {
    return _mm512_and_si512(_mm512_cvtepi8_epi32(load_16(p)), _mm512_set1_epi32(0xffff));
  }
  template <Layout>
  PITH_INLINE static I apply(I acc, I i, Scales s) {
    return _mm512_dpwssd_epi32(acc, i, s);
  }
  PITH_INLINE static ZeroScales zero_scales(const uint8_t* s, Bytes z) {
    const I centred = _mm512_sub_epi16(_mm512_set1_epi32(8), _mm512_cvtepu8_epi32(z));
    return _mm512_mullo_epi16(scales(s), centred);
  }
  PITH_INLINE static I apply_zero(I acc, ZeroScales z, const int32_t* sums) {
    return _mm512_dpwssd_epi32(acc, _mm512_set1_epi32(sums[1]), z);
  }
  PITH_INLINE static I look_up(I codes, Table t) { return _mm512_shuffle_epi8(t, codes); }
};

}  // namespace

void panel_i8c_avx512vnni(const PanelGemmArgs& a, Range panels, Range rows) {
  i8c_gemm<Zmm, TileShape<2, 12, 2>, YmmVnni, TileShape<1, 12, 1>>(a, panels, rows);
}
void panel_i4s8_avx512vnni(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::i4s8, Zmm, TileShape<2, 1, 2>, YmmVnni, TileShape<1, 4, 1>>(a, panels, rows);
}
void panel_i4a_avx512vnni(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::i4a, Zmm, TileShape<2, 1, 2>, YmmVnni, TileShape<1, 4, 1>>(a, panels, rows);
}
void panel_i4f16_avx512vnni(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::i4f16, Zmm, TileShape<2, 1, 2>, YmmVnni, TileShape<1, 4, 1>>(a, panels, rows);
}
void panel_lut4_avx512vnni(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::lut4, Zmm, TileShape<2, 1, 2>, YmmVnni, TileShape<1, 4, 1>>(a, panels, rows);
}
void panel_lut4s8_avx512vnni(const PanelGemmArgs& a, Range panels, Range rows) {
  panel4_gemm<Layout::lut4s8, Zmm, TileShape<2, 1, 2>, YmmVnni, TileShape<1, 4, 1>>(a, panels, rows);
}

}  // namespace pith::kernels
