// Scaled dot-product attention of one head, row by row of the query:
//   s[j] = scale * q . k[j];  s = cap tanh(s / cap) if cap > 0;  s += mask;  p = softmax(s);  y = sum over j
//   of p[j] v[j]
// Keys that are masked out give p = 0; a row without any visible key gives p = 0 and y = 0. Error as the
// matrix products (kernels/gemm) and an exact softmax: |y - exact| <= (D + T + 12) u max |v|, u = 2^-24,
// times the size of s. Layouts: row i of q, k, v, y lies i * its stride floats from the pointer, so heads may
// be interleaved or not.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/kernel_list.h"
#include "kernels/base/types.h"

namespace pith::kernels {

struct AttentionHead {
  const float* q;  // rows of `depth`
  size_t q_stride;
  const float* k;  // `keys` rows of `depth`
  size_t k_stride;
  const float* v;  // `keys` rows of `value_depth`
  size_t v_stride;
  float* y;
  size_t y_stride;
  size_t depth, value_depth, keys;
  float scale, softcap;
  // Visible keys of query row i: j < limit, and with `causal` also j <= i + offset.
  int64_t limit;
  bool causal;
  int64_t offset;
  // Added to s (float) or 0 = hidden (bytes); element (i, j) at i * mask_row + j * mask_column for j <
  // mask_keys; keys beyond are hidden. Null: no mask.
  const float* mask;
  const uint8_t* mask_bytes;
  size_t mask_row, mask_column;
  int64_t mask_keys;
  // Where to leave a copy of s or p (rows of `keys`), or null: 0 = s, 1 = after the cap, 2 = after the mask,
  // 3 = p.
  float* report;
  int report_stage;
};

inline constexpr size_t kAttentionRows = 4;
// Scores of `rows` <= kAttentionRows queries from `first` on. Lane l of a sum takes the elements i with i % 4 == l, one product
// rounded and added after the other; the sum is (l0 + l2) + (l1 + l3).
using AttentionScoresFn = void (*)(const AttentionHead& a, size_t first, size_t rows, float* s);
// exp(s - largest) / sum; four lanes of sums as above. All hidden: zeros.
using AttentionSoftmaxFn = void (*)(float* s, size_t n);
// y of kAttentionRows rows over the keys that all of them see, up to the first that one does not; returns that. In the order of
// keys, each product rounded.
using AttentionValuesFn = size_t (*)(const AttentionHead& a, size_t first, const float* p);

// The expensive steps; all variants give the same bits.
struct AttentionKernel {
  const char* name;
  uint32_t needs;  // Cpu bits
  AttentionScoresFn scores;
  AttentionSoftmaxFn softmax;
  AttentionValuesFn values;
};
#define KERNEL(isa, needs)                                                                  \
  void attention_scores_##isa(const AttentionHead& a, size_t first, size_t rows, float* s); \
  void attention_softmax_##isa(float* s, size_t n);                                         \
  size_t attention_values_##isa(const AttentionHead& a, size_t first, const float* p);
#include "kernels/attention/attention_list.inc"
#undef KERNEL
using AttentionKernels = KernelList<AttentionKernel>;
AttentionKernels attention_kernels();
const AttentionKernel& select_attention(Cpu cpu);

// Query rows `rows`; `scores`: room for kAttentionRows * a.keys floats of this call alone.
void attention(const AttentionKernel& kernel, const AttentionHead& a, Range rows, float* scores);

// Rotary embedding of one vector: the first 2 * half elements turn by the given angles, the rest is copied.
//   pair (a, b): a' = a cos - b sin, b' = a sin + b cos; pairs are (i, i + half), or (2 i, 2 i + 1) when
//   interleaved.
void rotate_ref(const float* x, const float* cosines, const float* sines, size_t half, size_t size,
                bool interleaved, float* y);

}  // namespace pith::kernels
