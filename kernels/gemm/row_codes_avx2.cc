// Row codes with AVX2: 32 elements at a time, the same IEEE operations as the reference.
#include <immintrin.h>

#include "kernels/gemm/row_class_sums.h"

namespace pith::kernels {
namespace {

inline __m256 load_part(const float* x, size_t n) {  // n >= 8: all; else the first n, then zeros
  if (n >= 8) return _mm256_loadu_ps(x);
  alignas(32) float part[8] = {};
  for (size_t i = 0; i < n; ++i) part[i] = x[i];
  return _mm256_load_ps(part);
}

inline float lanes_max(__m256 v) {
  __m128 h = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  h = _mm_max_ps(h, _mm_movehl_ps(h, h));
  return _mm_cvtss_f32(_mm_max_ss(h, _mm_shuffle_ps(h, h, 1)));
}

// What round_to_code does with zero point 0: clamp to [lo, hi] as floats, round to nearest even.
inline __m256i to_codes(__m256 x, __m256 lo, __m256 hi) {
  return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(x, lo), hi));
}

inline __m256i pack32(__m256i a, __m256i b, __m256i c, __m256i d) {
  const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
  return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

// Sums of codes with k % 4 == j in the four lanes.
inline __m128i class_sums(__m256i codes) {
  const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(codes, 8), 8), odd = _mm256_srai_epi16(codes, 8);
  // 16-bit lanes: even holds classes 0, 2, 0, 2 ..., odd 1, 3, 1, 3 ...
  __m256i e = _mm256_add_epi16(even, _mm256_srli_si256(even, 8)),
          o = _mm256_add_epi16(odd, _mm256_srli_si256(odd, 8));
  e = _mm256_add_epi16(e, _mm256_srli_si256(e, 4));
  o = _mm256_add_epi16(o, _mm256_srli_si256(o, 4));
  const __m128i e4 = _mm_add_epi16(_mm256_castsi256_si128(e), _mm256_extracti128_si256(e, 1));
  const __m128i o4 = _mm_add_epi16(_mm256_castsi256_si128(o), _mm256_extracti128_si256(o, 1));
  return _mm_cvtepi16_epi32(_mm_unpacklo_epi16(e4, o4));
}

// Their sum, of codes + 128 as unsigned bytes.
inline int32_t sum_of(__m256i codes) {
  const __m256i quarters =
      _mm256_sad_epu8(_mm256_xor_si256(codes, _mm256_set1_epi8(-128)), _mm256_setzero_si256());
  const __m128i halves =
      _mm_add_epi32(_mm256_castsi256_si128(quarters), _mm256_extracti128_si256(quarters, 1));
  return _mm_cvtsi128_si32(halves) + _mm_extract_epi32(halves, 2) - 128 * static_cast<int32_t>(kRowGroup);
}

void write_sums(RowForm form, __m256i codes, int32_t* sums) {
  alignas(16) int32_t c[4] = {};
  if (form == RowForm::minus8 || form == RowForm::minus8_sum || form == RowForm::minus128) {
    c[0] = sum_of(codes);
    return write_class_sums(form, c, sums);
  }
  _mm_store_si128(reinterpret_cast<__m128i*>(c), class_sums(codes));
  write_class_sums(form, c, sums);
}

void block(const float* x, const RowCodes& to, size_t row, size_t b) {
  const size_t begin = b * kRowBlock, count = to.k - begin < kRowBlock ? to.k - begin : kRowBlock;
  const __m256 sign = _mm256_set1_ps(-0.0f);
  __m256 top = _mm256_setzero_ps(), poison = _mm256_setzero_ps();
  for (size_t i = 0; i < count; i += 8) {
    const __m256 v = load_part(x + begin + i, count - i);
    top = _mm256_max_ps(_mm256_andnot_ps(sign, v), top);
    poison = _mm256_add_ps(poison, _mm256_mul_ps(v, _mm256_setzero_ps()));
  }
  const bool finite = _mm256_movemask_ps(_mm256_cmp_ps(poison, poison, _CMP_UNORD_Q)) == 0;
  const float most = lanes_max(top);
  const bool zero = !finite || most < 1e-30f;
  float& scale = to.scales[b * to.m + row];
  scale = !finite ? __builtin_nanf("") : zero ? 0.0f : most / 127.0f;
  const __m256 inverse = _mm256_set1_ps(zero ? 0.0f : 127.0f / most);
  const __m256 lo = _mm256_set1_ps(-127), hi = _mm256_set1_ps(127);
  for (size_t i = 0; i < count; i += kRowGroup) {
    const size_t group = (begin + i) / kRowGroup * to.m + row;
    __m256i q[4];
    for (size_t j = 0; j < 4; ++j) {
      const size_t at = i + 8 * j;
      const __m256 v = at < count ? load_part(x + begin + at, count - at) : _mm256_setzero_ps();
      q[j] = zero ? _mm256_setzero_si256() : to_codes(_mm256_mul_ps(v, inverse), lo, hi);
    }
    const __m256i codes = pack32(q[0], q[1], q[2], q[3]);
    _mm256_store_si256(reinterpret_cast<__m256i*>(to.codes + group * kRowGroup), codes);
    write_sums(to.form, codes, to.sums + group * sum_words(to.form));
  }
}

void grid_codes(const float* x, const RowCodes& to, size_t row) {
  const RowGrid grid = to.grids[row];
  const __m256 lo = _mm256_set1_ps(static_cast<float>(-128 - grid.zero));
  const __m256 hi = _mm256_set1_ps(static_cast<float>(127 - grid.zero));
  const __m256 scale = _mm256_set1_ps(grid.scale);
  const __m256i zero = _mm256_set1_epi32(grid.zero);
  const __m256i flip = _mm256_set1_epi8(to.form == RowForm::grid_u8 ? -128 : 0);
  for (size_t g = 0; g < to.groups(); ++g) {
    __m256i q[4];
    for (size_t j = 0; j < 4; ++j) {
      const size_t at = g * kRowGroup + 8 * j;
      const __m256 v = at < to.k ? load_part(x + at, to.k - at) : _mm256_setzero_ps();
      q[j] = _mm256_add_epi32(to_codes(_mm256_div_ps(v, scale), lo, hi), zero);
    }
    __m256i codes = pack32(q[0], q[1], q[2], q[3]);
    if ((g + 1) * kRowGroup > to.k) {  // code 0 behind K, as the reference writes it
      alignas(32) int8_t part[kRowGroup];
      _mm256_store_si256(reinterpret_cast<__m256i*>(part), codes);
      for (size_t i = to.k - g * kRowGroup; i < kRowGroup; ++i) part[i] = 0;
      codes = _mm256_load_si256(reinterpret_cast<const __m256i*>(part));
    }
    _mm256_store_si256(reinterpret_cast<__m256i*>(to.codes + (g * to.m + row) * kRowGroup),
                       _mm256_xor_si256(codes, flip));
  }
}

}  // namespace

RowRange row_range_avx2(const float* x, size_t k) {
  __m256 lo = _mm256_setzero_ps(), hi = lo, poison = lo;
  for (size_t i = 0; i < k; i += 8) {
    const __m256 v = load_part(x + i, k - i);
    lo = _mm256_min_ps(v, lo);
    hi = _mm256_max_ps(v, hi);
    poison = _mm256_add_ps(poison, _mm256_mul_ps(v, _mm256_setzero_ps()));
  }
  const bool finite = _mm256_movemask_ps(_mm256_cmp_ps(poison, poison, _CMP_UNORD_Q)) == 0;
  return {-lanes_max(_mm256_sub_ps(_mm256_setzero_ps(), lo)), lanes_max(hi), finite};
}

void row_codes_on_grids_avx2(const float* x, const RowCodes& to, Range rows) {
  for (size_t row = rows.begin; row < rows.end; ++row) grid_codes(x + row * to.k, to, row);
}

void adopt_row_codes_avx2(const int8_t* codes, size_t pitch, const RowCodes& to, Range rows) {
  const __m256i flip = _mm256_set1_epi8(to.form == RowForm::grid_u8 ? -128 : 0);
  const size_t words = sum_words(to.form);
  for (size_t row = rows.begin; row < rows.end; ++row, codes += pitch)
    for (size_t g = 0; g < to.groups(); ++g) {
      const size_t at = g * to.m + row;
      const void* from = codes + g * kRowGroup;
      const __m256i group = _mm256_loadu_si256(static_cast<const __m256i*>(from));
      _mm256_store_si256(reinterpret_cast<__m256i*>(to.codes + at * kRowGroup),
                         _mm256_xor_si256(group, flip));
      if (words != 0) write_sums(to.form, group, to.sums + at * words);
    }
}

void quantize_row_codes_avx2(const float* x, const RowCodes& to, Range rows) {
  for (size_t row = rows.begin; row < rows.end; ++row) {
    const float* from = x + row * to.k;
    if (is_grid(to.form)) {
      const RowRange r = row_range_avx2(from, to.k);
      to.grids[row] = row_grid_from(r.lo, r.hi, r.finite);
      grid_codes(from, to, row);
    } else {
      for (size_t b = 0; b < to.blocks(); ++b) block(from, to, row, b);
    }
  }
}

}  // namespace pith::kernels
