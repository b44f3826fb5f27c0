// Steps of attention in f32, AVX2: the reference's operations in its order, on eight lanes. Products are not fused; additions have
// ports of their own, so that costs nothing.
#include "kernels/attention/attention.h"
#include "kernels/base/float_vectors.h"
#include "kernels/base/vector_math.h"

namespace pith::kernels {
namespace {

using F = __m256;
constexpr float kHidden = -__builtin_inff();

// Sums of one query with four keys: two vectors of two keys each, four lanes for each key.
struct Sums {
  F even, odd;  // keys 0 and 2; 1 and 3
};

// Four elements of the keys j and j + 2 side by side.
PITH_INLINE F two_keys(const float* a, const float* b) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(a)), _mm_loadu_ps(b), 1);
}
PITH_INLINE F query(const float* q) {
  return _mm256_broadcast_ps(static_cast<const __m128*>(static_cast<const void*>(q)));
}

// (l0 + l2) + (l1 + l3) of each key, in the order of keys.
PITH_INLINE __m128 reduce(const Sums& s) {
  const F pairs = _mm256_add_ps(_mm256_unpacklo_ps(s.even, s.odd), _mm256_unpackhi_ps(s.even, s.odd));
  const __m128 low = _mm256_castps256_ps128(pairs), high = _mm256_extractf128_ps(pairs, 1);
  return _mm_add_ps(_mm_movelh_ps(low, high), _mm_movehl_ps(high, low));
}

// The rest of a row, then zeros.
struct Rest {
  alignas(16) float x[4];
  PITH_INLINE void read(const float* from, size_t n) {
    for (size_t i = 0; i < 4; ++i) x[i] = i < n ? from[i] : 0.0f;
  }
};

// Sums by name: GCC 12 writes arrays of them to memory at every step.
[[gnu::noinline]] void four_by_four(const float* const (&q)[4], const float* const (&k)[4], size_t depth,
                                    float scale, float (&out)[4][4]) {
  const F none = _mm256_setzero_ps();
  Sums s0{none, none}, s1{none, none}, s2{none, none}, s3{none, none};
  const auto add = [](Sums & s, const float* row, F even, F odd) __attribute__((always_inline)) {
    const F x = query(row);
    s.even = _mm256_add_ps(s.even, _mm256_mul_ps(x, even));
    s.odd = _mm256_add_ps(s.odd, _mm256_mul_ps(x, odd));
  };
  size_t i = 0;
  for (; i + 4 <= depth; i += 4) {
    const F even = two_keys(k[0] + i, k[2] + i), odd = two_keys(k[1] + i, k[3] + i);
    add(s0, q[0] + i, even, odd), add(s1, q[1] + i, even, odd);
    add(s2, q[2] + i, even, odd), add(s3, q[3] + i, even, odd);
  }
  if (i < depth) {
    Rest x[4], y[4];
    for (size_t r = 0; r < 4; ++r) x[r].read(q[r] + i, depth - i), y[r].read(k[r] + i, depth - i);
    const F even = two_keys(y[0].x, y[2].x), odd = two_keys(y[1].x, y[3].x);
    add(s0, x[0].x, even, odd), add(s1, x[1].x, even, odd);
    add(s2, x[2].x, even, odd), add(s3, x[3].x, even, odd);
  }
  const __m128 factor = _mm_set1_ps(scale);
  _mm_storeu_ps(out[0], _mm_mul_ps(reduce(s0), factor)),
      _mm_storeu_ps(out[1], _mm_mul_ps(reduce(s1), factor));
  _mm_storeu_ps(out[2], _mm_mul_ps(reduce(s2), factor)),
      _mm_storeu_ps(out[3], _mm_mul_ps(reduce(s3), factor));
}

// e^(s - top) in place; the sum.
float exponentials(float* s, size_t n, float top) {
  const F most = _mm256_set1_ps(top);
  __m128 sums = _mm_setzero_ps();
  size_t j = 0;
  for (; j + 8 <= n; j += 8) {
    const F e = exp_of<F32x8>(_mm256_sub_ps(_mm256_loadu_ps(s + j), most), kExpLowest);
    _mm256_storeu_ps(s + j, e);
    sums = _mm_add_ps(_mm_add_ps(sums, _mm256_castps256_ps128(e)), _mm256_extractf128_ps(e, 1));
  }
  if (j < n) {
    alignas(32) float part[8];
    for (size_t i = 0; i < 8; ++i) part[i] = i < n - j ? s[j + i] : kHidden;
    const F e = exp_of<F32x8>(_mm256_sub_ps(_mm256_load_ps(part), most), kExpLowest);
    _mm256_store_ps(part, e);
    for (size_t i = 0; i < n - j; ++i) s[j + i] = part[i];
    sums = _mm_add_ps(sums, _mm256_castps256_ps128(e));
    if (n - j > 4) sums = _mm_add_ps(sums, _mm256_extractf128_ps(e, 1));
  }
  const __m128 half = _mm_add_ps(sums, _mm_movehl_ps(sums, sums));  // l0 + l2, l1 + l3
  return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

// The largest score, NaN if any is.
float largest(const float* s, size_t n) {
  F most = _mm256_set1_ps(kHidden), poison = _mm256_setzero_ps();
  size_t j = 0;
  for (; j + 8 <= n; j += 8) {
    const F x = _mm256_loadu_ps(s + j);
    most = _mm256_max_ps(x, most);
    poison = _mm256_or_ps(poison, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  }
  float top = F32x8::largest(most);
  if (_mm256_movemask_ps(poison) != 0) top = __builtin_nanf("");
  for (; j < n; ++j) top = s[j] > top || s[j] != s[j] ? s[j] : top;
  return top;
}

// Keys that all four rows see, from the first on.
size_t seen_by_all(const float* p, size_t keys) {
  size_t j = 0;
  for (; j + 8 <= keys; j += 8) {
    F hidden = _mm256_setzero_ps();
    for (size_t r = 0; r < kAttentionRows; ++r)
      hidden = _mm256_or_ps(
          hidden, _mm256_cmp_ps(_mm256_loadu_ps(p + r * keys + j), _mm256_setzero_ps(), _CMP_EQ_OQ));
    if (const int bits = _mm256_movemask_ps(hidden); bits != 0)
      return j + static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(bits)));
  }
  for (; j < keys; ++j)
    for (size_t r = 0; r < kAttentionRows; ++r)
      if (p[r * keys + j] == 0.0f) return j;
  return keys;
}

// Columns [d, d + 8 U) of four rows of y.
template <size_t U>
[[gnu::noinline]] void columns(const AttentionHead& a, size_t first, const float* p, size_t end, size_t d) {
  F sums[kAttentionRows][U];
  for (auto& row : sums)
    for (F& x : row) x = _mm256_setzero_ps();
  const float* v = a.v + d;
  for (size_t j = 0; j < end; ++j, v += a.v_stride) {
    F x[U];
    for (size_t u = 0; u < U; ++u) x[u] = _mm256_loadu_ps(v + 8 * u);
#pragma GCC unroll 4
    for (size_t r = 0; r < kAttentionRows; ++r) {
      const F weight = _mm256_set1_ps(p[r * a.keys + j]);
#pragma GCC unroll 2
      for (size_t u = 0; u < U; ++u) sums[r][u] = _mm256_add_ps(sums[r][u], _mm256_mul_ps(weight, x[u]));
    }
  }
  for (size_t r = 0; r < kAttentionRows; ++r)
    for (size_t u = 0; u < U; ++u) _mm256_storeu_ps(a.y + (first + r) * a.y_stride + d + 8 * u, sums[r][u]);
}

}  // namespace

void attention_scores_avx2(const AttentionHead& a, size_t first, size_t rows, float* s) {
  const float* q[4];  // what does not exist repeats the last; its scores are dropped
  for (size_t r = 0; r < 4; ++r) q[r] = a.q + (first + (r < rows ? r : rows - 1)) * a.q_stride;
  for (size_t j = 0; j < a.keys; j += 4) {
    const float* k[4];
    for (size_t c = 0; c < 4; ++c) k[c] = a.k + (j + c < a.keys ? j + c : a.keys - 1) * a.k_stride;
    float out[4][4];
    four_by_four(q, k, a.depth, a.scale, out);
    const size_t count = a.keys - j < 4 ? a.keys - j : 4;
    for (size_t r = 0; r < rows; ++r)
      for (size_t c = 0; c < count; ++c) s[r * a.keys + j + c] = out[r][c];
  }
}

void attention_softmax_avx2(float* s, size_t n) {
  const float top = largest(s, n);
  if (top == kHidden) {
    for (size_t j = 0; j < n; ++j) s[j] = 0;
    return;
  }
  const float sum = exponentials(s, n, top);
  const F divisor = _mm256_set1_ps(sum);
  size_t j = 0;
  for (; j + 8 <= n; j += 8) _mm256_storeu_ps(s + j, _mm256_div_ps(_mm256_loadu_ps(s + j), divisor));
  for (; j < n; ++j) s[j] /= sum;
}

size_t attention_values_avx2(const AttentionHead& a, size_t first, const float* p) {
  const size_t end = seen_by_all(p, a.keys);
  size_t d = 0;
  for (; d + 16 <= a.value_depth; d += 16) columns<2>(a, first, p, end, d);
  if (d + 8 <= a.value_depth) columns<1>(a, first, p, end, d), d += 8;
  for (; d < a.value_depth; ++d)
    for (size_t r = 0; r < kAttentionRows; ++r) {
      float sum = 0;
      for (size_t j = 0; j < end; ++j) sum += p[r * a.keys + j] * a.v[j * a.v_stride + d];
      a.y[(first + r) * a.y_stride + d] = sum;
    }
  return end;
}

}  // namespace pith::kernels
