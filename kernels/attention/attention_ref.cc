// Attention, four rows of scores at a time. A row's result does not depend on the rows beside it.
#include "kernels/attention/attention.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/gemm/dot_tile.h"

namespace pith::kernels {
namespace {

constexpr float kHidden = -std::numeric_limits<float>::infinity();

void keep(const AttentionHead& a, size_t row, int stage, const float* s) {
  if (a.report != nullptr && a.report_stage == stage) std::copy(s, s + a.keys, a.report + row * a.keys);
}

void apply_mask(const AttentionHead& a, size_t row, float* s) {
  int64_t visible = std::clamp<int64_t>(a.limit, 0, static_cast<int64_t>(a.keys));
  if (a.causal) visible = std::clamp<int64_t>(static_cast<int64_t>(row) + a.offset + 1, 0, visible);
  const bool masked = a.mask != nullptr || a.mask_bytes != nullptr;
  if (masked) visible = std::min(visible, a.mask_keys);
  const auto end = static_cast<size_t>(visible);
  for (size_t j = 0; j < end && masked; ++j) {
    const size_t at = row * a.mask_row + j * a.mask_column;
    if (a.mask != nullptr)
      s[j] += a.mask[at];
    else if (a.mask_bytes[at] == 0)
      s[j] = kHidden;
  }
  std::fill(s + end, s + a.keys, kHidden);
}

// e^x for x <= 0, -Inf and NaN; four lanes, 2 ulp, 0 below -87.3. x = n ln 2 + r, |r| <= ln 2 / 2; e^r by its series to r^6, whose
// rest is below 1e-7 of it. Not libm's: the same bits on every processor.
Lanes<float> exp_lanes(Lanes<float> x) {
  constexpr Lanes<float> kLowest = {-87.3f, -87.3f, -87.3f, -87.3f};
  const Lanes<int32_t> small = x < kLowest, bits_x = std::bit_cast<Lanes<int32_t>>(x);
  const Lanes<int32_t> bits_low = std::bit_cast<Lanes<int32_t>>(kLowest);
  x = std::bit_cast<Lanes<float>>((bits_x & ~small) | (bits_low & small));
  const Lanes<float> moved = x * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: rounds to the nearest integer
  const Lanes<float> n = moved - 12582912.0f;
  const Lanes<float> r = (x - n * 0.693145752f) - n * 1.42860677e-6f;
  Lanes<float> p = r * (1.0f / 720) + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * (r * r) + (r + 1.0f);
  const Lanes<int32_t> power = (std::bit_cast<Lanes<int32_t>>(moved) - 0x4B400000 + 127) << 23;
  const Lanes<float> e = p * std::bit_cast<Lanes<float>>(power);
  return std::bit_cast<Lanes<float>>(std::bit_cast<Lanes<int32_t>>(e) & ~small);
}

// The largest score; NaN if any is.
float largest(const float* s, size_t n) {
  Lanes<float> tops = {kHidden, kHidden, kHidden, kHidden};
  size_t j = 0;
  for (; j + 4 <= n; j += 4) {
    const Lanes<float> x = load_lanes(s + j);
    const Lanes<int32_t> takes = (x > tops) | (x != x);
    tops = std::bit_cast<Lanes<float>>((std::bit_cast<Lanes<int32_t>>(x) & takes) |
                                       (std::bit_cast<Lanes<int32_t>>(tops) & ~takes));
  }
  float top = kHidden;
  for (size_t l = 0; l < 4; ++l) top = tops[l] > top || tops[l] != tops[l] ? tops[l] : top;
  for (; j < n; ++j) top = s[j] > top || s[j] != s[j] ? s[j] : top;
  return top;
}

}  // namespace

void attention_softmax_ref(float* s, size_t n) {
  const float top = largest(s, n);
  if (top == kHidden) return std::fill(s, s + n, 0.0f);
  Lanes<float> sums = {};
  size_t j = 0;
  for (; j + 4 <= n; j += 4) {
    const Lanes<float> e = exp_lanes(load_lanes(s + j) - top);
    store_lanes(s + j, e);
    sums += e;
  }
  if (j < n) {
    float part[4] = {kHidden, kHidden, kHidden, kHidden};
    const size_t count = n - j;
    std::copy(s + j, s + j + count, part);
    store_lanes(part, exp_lanes(load_lanes(part) - top));
    std::copy(part, part + count, s + j);
    sums += load_lanes(part);
  }
  const float sum = sum_lanes(sums);
  for (j = 0; j < n; ++j) s[j] /= sum;
}

namespace {

// The sums of the lanes of four vectors, each (v0 + v2) + (v1 + v3) as sum_lanes.
Lanes<float> sums_of(Lanes<float> a, Lanes<float> b, Lanes<float> c, Lanes<float> d) {
  const Lanes<float> ab =
      __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Lanes<float> cd =
      __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
  return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

// Two queries times four keys: products of lanes, summed over depth. Two rows of registers, spelled out: as arrays GCC would
// clear and read them in memory.
void dot_2x4(const float* const (&q)[2], const float* const (&k)[4], size_t depth, Lanes<float> (&out)[2]) {
  Lanes<float> a0 = {}, a1 = {}, a2 = {}, a3 = {}, b0 = {}, b1 = {}, b2 = {}, b3 = {};
  const auto step = [&](auto load) {
    const Lanes<float> x = load(q[0]), y = load(q[1]);
    const Lanes<float> k0 = load(k[0]), k1 = load(k[1]), k2 = load(k[2]), k3 = load(k[3]);
    a0 += x * k0, a1 += x * k1, a2 += x * k2, a3 += x * k3;
    b0 += y * k0, b1 += y * k1, b2 += y * k2, b3 += y * k3;
  };
  size_t i = 0;
  for (; i + 4 <= depth; i += 4) step([i](const float* p) { return load_lanes(p + i); });
  if (i < depth) step([i, depth](const float* p) { return load_first(p + i, depth - i); });
  out[0] = sums_of(a0, a1, a2, a3);
  out[1] = sums_of(b0, b1, b2, b3);
}

}  // namespace

// A score does not depend on which others are computed beside it.
void attention_scores_ref(const AttentionHead& a, size_t first, size_t rows, float* s) {
  for (size_t j = 0; j < a.keys; j += 4)
    for (size_t r = 0; r < rows; r += 2) {  // what does not exist repeats the last; its scores are dropped
      const size_t second = std::min(r + 1, rows - 1), count = std::min<size_t>(4, a.keys - j);
      const float* q[2] = {a.q + (first + r) * a.q_stride, a.q + (first + second) * a.q_stride};
      const float* k[4];
      for (size_t c = 0; c < 4; ++c) k[c] = a.k + std::min(j + c, a.keys - 1) * a.k_stride;
      Lanes<float> sums[2];
      dot_2x4(q, k, a.depth, sums);
      float part[2][4];
      for (size_t h = 0; h < 2; ++h) store_lanes(part[h], sums[h] * a.scale);
      std::copy_n(part[0], count, s + r * a.keys + j);
      if (second != r) std::copy_n(part[1], count, s + second * a.keys + j);
    }
}

namespace {

// y[d] += p v[d] in the order of keys. A hidden key (p = 0) must not bring in its NaN.
void add_values(const AttentionHead& a, size_t begin, const float* p, float* y) {
  for (size_t j = begin; j < a.keys; ++j) {
    if (p[j] == 0.0f) continue;
    const float* v = a.v + j * a.v_stride;
    for (size_t d = 0; d < a.value_depth; ++d) y[d] += p[j] * v[d];
  }
}

}  // namespace

size_t attention_values_ref(const AttentionHead& a, size_t first, const float* p) {
  size_t end = 0;
  const auto seen = [&](size_t j) {
    for (size_t r = 0; r < kAttentionRows; ++r)
      if (p[r * a.keys + j] == 0.0f) return false;
    return true;
  };
  while (end < a.keys && seen(end)) ++end;
  constexpr size_t kWide = 2 * kLanes<float>;
  for (size_t d = 0; d + kWide <= a.value_depth; d += kWide) {
    Lanes<float> sum[kAttentionRows][2] = {};
    for (size_t j = 0; j < end; ++j) {
      const float* v = a.v + j * a.v_stride + d;
      const Lanes<float> v0 = load_lanes(v), v1 = load_lanes(v + kLanes<float>);
      for (size_t r = 0; r < kAttentionRows; ++r) {
        sum[r][0] += p[r * a.keys + j] * v0;
        sum[r][1] += p[r * a.keys + j] * v1;
      }
    }
    for (size_t r = 0; r < kAttentionRows; ++r)
      for (size_t h = 0; h < 2; ++h)
        store_lanes(a.y + (first + r) * a.y_stride + d + h * kLanes<float>, sum[r][h]);
  }
  for (size_t r = 0; r < kAttentionRows; ++r)
    for (size_t d = a.value_depth / kWide * kWide; d < a.value_depth; ++d) {
      float sum = 0;
      for (size_t j = 0; j < end; ++j) sum += p[r * a.keys + j] * a.v[j * a.v_stride + d];
      a.y[(first + r) * a.y_stride + d] = sum;
    }
  return end;
}

AttentionKernels attention_kernels() {
#define KERNEL(isa, needs) \
  {#isa, needs, attention_scores_##isa, attention_softmax_##isa, attention_values_##isa},
  static constexpr AttentionKernel kAll[] = {
#include "kernels/attention/attention_list.inc"
  };
#undef KERNEL
  return {kAll, sizeof kAll / sizeof kAll[0]};
}

const AttentionKernel& select_attention(Cpu cpu) { return best_of(attention_kernels(), cpu); }

void attention(const AttentionKernel& kernel, const AttentionHead& a, Range range, float* scores) {
  for (size_t i = range.begin; i < range.end; i += kAttentionRows) {
    const size_t rows = std::min(kAttentionRows, range.end - i);
    if (a.keys > 0) kernel.scores(a, i, rows, scores);
    for (size_t r = 0; r < rows; ++r) {
      float* s = scores + r * a.keys;
      keep(a, i + r, 0, s);
      if (a.softcap > 0)
        for (size_t j = 0; j < a.keys; ++j) s[j] = a.softcap * std::tanh(s[j] / a.softcap);
      keep(a, i + r, 1, s);
      apply_mask(a, i + r, s);
      keep(a, i + r, 2, s);
      kernel.softmax(s, a.keys);
      keep(a, i + r, 3, s);
    }
    size_t done = 0;
    if (rows == kAttentionRows)
      done = kernel.values(a, i, scores);
    else
      for (size_t r = 0; r < rows; ++r) std::fill_n(a.y + (i + r) * a.y_stride, a.value_depth, 0.0f);
    for (size_t r = 0; r < rows; ++r) add_values(a, done, scores + r * a.keys, a.y + (i + r) * a.y_stride);
  }
}

void rotate_ref(const float* x, const float* cosines, const float* sines, size_t half, size_t size,
                bool interleaved, float* y) {
  const size_t step = interleaved ? 2 : 1, apart = interleaved ? 1 : half;
  for (size_t i = 0; i < half; ++i) {
    const float a = x[i * step], b = x[i * step + apart];
    y[i * step] = a * cosines[i] - b * sines[i];
    y[i * step + apart] = a * sines[i] + b * cosines[i];
  }
  std::copy(x + 2 * half, x + size, y + 2 * half);
}

}  // namespace pith::kernels
