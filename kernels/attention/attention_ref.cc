// Attention with one row of scores at a time.
#include "kernels/attention/attention.h"

#include <algorithm>
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

void softmax(float* s, size_t n) {
  float top = kHidden;
  for (size_t j = 0; j < n; ++j) top = s[j] > top || s[j] != s[j] ? s[j] : top;
  if (top == kHidden) return std::fill(s, s + n, 0.0f);
  float sum = 0;
  for (size_t j = 0; j < n; ++j) sum += s[j] = std::exp(s[j] - top);
  for (size_t j = 0; j < n; ++j) s[j] /= sum;
}

}  // namespace

void attention_ref(const AttentionHead& a, Range rows, float* s) {
  for (size_t i = rows.begin; i < rows.end; ++i) {
    const float* q[1] = {a.q + i * a.q_stride};
    for (size_t j = 0; j < a.keys; ++j) {
      const float* k[1] = {a.k + j * a.k_stride};
      Lanes<float> acc[1][1] = {};
      dot_tile<1, 1>(q, k, a.depth, acc);
      s[j] = sum_lanes(acc[0][0]) * a.scale;
    }
    keep(a, i, 0, s);
    if (a.softcap > 0)
      for (size_t j = 0; j < a.keys; ++j) s[j] = a.softcap * std::tanh(s[j] / a.softcap);
    keep(a, i, 1, s);
    apply_mask(a, i, s);
    keep(a, i, 2, s);
    softmax(s, a.keys);
    keep(a, i, 3, s);
    float* y = a.y + i * a.y_stride;
    std::fill(y, y + a.value_depth, 0.0f);
    for (size_t j = 0; j < a.keys; ++j) {
      const float p = s[j];
      if (p == 0.0f) continue;  // a hidden key must not bring in its NaN
      const float* v = a.v + j * a.v_stride;
      for (size_t d = 0; d < a.value_depth; ++d) y[d] += p * v[d];
    }
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
