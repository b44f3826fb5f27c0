// 256-bit vectors for the products with packed weights: what AVX2, AVX-VNNI and the AVX-512 test build share, and the VNNI
// ones. Included by ISA files only; PITH_DPBUSD and PITH_DPWSSD name the encoding's dot products for YmmVnni.
#pragma once
#include <immintrin.h>

#include "kernels/gemm/panel4_tiles.h"
#include "kernels/gemm/panel_i8c_tiles.h"

namespace pith::kernels {
namespace {

struct Ymm {
  using I = __m256i;
  using F = __m256;
  using W = I;
  using Acc = I;
  using Sum8 = I;
  using Acts = const int8_t*;  // broadcast from memory, quad by quad
  using Acts8 = Acts;
  template <Layout>
  using Sum = I;
  using Bytes = __m128i;  // 8 of them
  using Table = __m256i;
  using Scales = __m256i;
  using ZeroScales = __m256i;
  static constexpr size_t kLanes = 8, kBytes = 32, kSteps = 1;
  static constexpr bool kPairs = false, kRolled = false;

  PITH_INLINE static I zero() { return _mm256_setzero_si256(); }
  PITH_INLINE static I zero8() { return zero(); }
  PITH_INLINE static I finish8(I i) { return i; }
  PITH_INLINE static Acts acts(const int8_t* codes) { return codes; }
  PITH_INLINE static Acts8 acts8(const int8_t* codes) { return codes; }
  PITH_INLINE static I load(const uint8_t* p) {
    return _mm256_loadu_si256(static_cast<const I*>(static_cast<const void*>(p)));
  }
  PITH_INLINE static I load_i(const int32_t* p) {
    return _mm256_loadu_si256(static_cast<const I*>(static_cast<const void*>(p)));
  }
  PITH_INLINE static void store_i(int32_t* p, I v) {
    _mm256_storeu_si256(static_cast<I*>(static_cast<void*>(p)), v);
  }
  PITH_INLINE static F load_f(const float* p) { return _mm256_loadu_ps(p); }
  PITH_INLINE static void store_f(float* p, F v) { _mm256_storeu_ps(p, v); }
  PITH_INLINE static F splat_f(float x) { return _mm256_set1_ps(x); }
  PITH_INLINE static F cvt(I v) { return _mm256_cvtepi32_ps(v); }
  PITH_INLINE static F add(F a, F b) { return _mm256_add_ps(a, b); }
  PITH_INLINE static F mul(F a, F b) { return _mm256_mul_ps(a, b); }
  PITH_INLINE static I add_i(I a, I b) { return _mm256_add_epi32(a, b); }
  // As v < lo ? lo : v, then v > hi ? hi : v: NaN stays.
  PITH_INLINE static F clamp(F v, F lo, F hi) { return _mm256_min_ps(hi, _mm256_max_ps(lo, v)); }
  PITH_INLINE static I low(I x) { return _mm256_and_si256(x, _mm256_set1_epi8(15)); }
  PITH_INLINE static I high(I x) { return low(_mm256_srli_epi16(x, 4)); }
  PITH_INLINE static I broadcast(const int8_t* p) {
    int32_t four;
    __builtin_memcpy(&four, p, 4);
    return _mm256_set1_epi32(four);
  }
  PITH_INLINE static F halves(const uint8_t* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(static_cast<const void*>(p))));
  }
  PITH_INLINE static F bytes(const uint8_t* p) { return cvt(_mm256_cvtepi8_epi32(load_bytes(p))); }
  PITH_INLINE static Bytes load_bytes(const uint8_t* p) {
    return _mm_loadl_epi64(static_cast<const __m128i*>(static_cast<const void*>(p)));
  }
  PITH_INLINE static Bytes nibbles(const uint8_t* p, bool high_ones) {
    const __m128i x = load_bytes(p), mask = _mm_set1_epi8(15);
    return _mm_and_si128(high_ones ? _mm_srli_epi16(x, 4) : x, mask);
  }
  PITH_INLINE static Table table(const int8_t* codebook) {
    if (codebook == nullptr) return zero();
    return _mm256_broadcastsi128_si256(
        _mm_loadu_si128(static_cast<const __m128i*>(static_cast<const void*>(codebook))));
  }
  PITH_INLINE static I start8_with(int32_t factor, const int32_t* ksum) {
    return _mm256_mullo_epi32(_mm256_set1_epi32(factor), load_i(ksum));
  }
};

#ifdef PITH_DPBUSD
struct YmmVnni : Ymm {
  template <Layout L>
  static constexpr RowForm form() {
    return L == Layout::i8c   ? RowForm::grid_u8
           : L == Layout::i4a ? RowForm::minus8_sum
           : uses_table(L)    ? RowForm::minus128
                              : RowForm::minus8;
  }
  template <Layout>
  PITH_INLINE static I start(const int32_t* sums) {
    return _mm256_set1_epi32(sums[0]);
  }
  template <Layout, size_t j>
  PITH_INLINE static I dot(I i, I w, Acts a) {
    return PITH_DPBUSD(i, w, broadcast(a + 4 * j));
  }
  template <size_t j>
  PITH_INLINE static I dot8(I i, I w, Acts8 a) {
    return PITH_DPBUSD(i, broadcast(a + 4 * j), w);
  }
  PITH_INLINE static I start8(int32_t zero, const int32_t* ksum) { return start8_with(-(zero + 128), ksum); }
  template <Layout>
  PITH_INLINE static I finish(I i) {
    return i;
  }
  // The scale in the low half; the high half of a sum is its sign and must not count.
  PITH_INLINE static Scales scales(const uint8_t* p) {
    return _mm256_and_si256(_mm256_cvtepi8_epi32(load_bytes(p)), _mm256_set1_epi32(0xffff));
  }
  template <Layout>
  PITH_INLINE static I apply(I acc, I i, Scales s) {
    return PITH_DPWSSD(acc, i, s);
  }
  PITH_INLINE static ZeroScales zero_scales(const uint8_t* s, Bytes z) {
    const I centred = _mm256_sub_epi16(_mm256_set1_epi32(8), _mm256_cvtepu8_epi32(z));
    return _mm256_mullo_epi16(scales(s), centred);
  }
  PITH_INLINE static I apply_zero(I acc, ZeroScales z, const int32_t* sums) {
    return PITH_DPWSSD(acc, _mm256_set1_epi32(sums[1]), z);
  }
  PITH_INLINE static Table table(const int8_t* codebook) {
    return _mm256_xor_si256(Ymm::table(codebook), _mm256_set1_epi8(-128));
  }
  PITH_INLINE static I look_up(I nibbles, Table t) { return _mm256_shuffle_epi8(t, nibbles); }
};
#endif

}  // namespace
}  // namespace pith::kernels
