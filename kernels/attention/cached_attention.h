// Attention of query rows over one KV head of a cache (kernels/attention/kv_cache.h); rows that share the head go through
// K and V together.
//   y[r] = sum over t of p[t] value[t],  p = softmax over visible t of s,  s[t] = scale * query[r] . key[t]
//
//   const CachedAttentionKernel& kernel = select_cached_attention(kind, cpu);
//   prepare_queries(kernel, ...);                        once per row
//   kernel.fn(args, rows, blocks, state);                at most kKvRows rows; a range of blocks of 64 tokens
//   fold_attention(state, total);                        blocks in ranges of kKvSegment, folded in rising order
//   write_attention(total, r, y);
//
// Exactly this is computed by every kernel, so that bytes are equal for any instruction set and number of threads, as long as
// ranges of blocks are cut at multiples of kKvSegment (state: top m = -inf, sum l = 0, acc = 0 at the start of a range):
//   i8   s = (float(sum of query code * key code) * key scale[t]) * query scale          the integer sum exact
//   f16  s = (((q[0] k[0]) + q[1] k[1]) + ...) * scale
//   per block:  m' = max(m, s of its visible t);  f = exp(m - m');  e[t] = exp(s - m');  l = l f + sum of e
//   i8   w[t] = e[t] * value scale[t];  c = max w;  code = round(w * (127 / c));  acc = acc f + float(sum of code * value code) *
//        (c / 127)
//   f16  acc = acc f + (((e[a] v[a]) + e[a + 1] v[a + 1]) + ...) over the visible t
// exp: kernels/base/vector_math.h, 0 below kKvLowest; sums of e: 16 lanes (t % 16), then a fixed tree. Nothing is fused.
//
// Error, against exact attention over what the cache holds (u = 2^-24, T visible tokens, V = max |value|, A = max over t of scale
// sum |q k|):
//   f16  |y - exact| <= V (2 (D + 4) A + T + 40) u  + V T e^-64
//   i8   adds rounding of the query, sqrt(D)-free worst case A_q = scale * (max |q| / 254) * max_t sum |key|: V * 2 (e^{A_q} - 1),
//        and of the probabilities: (max w of a block / 254) * sum |codes|, at most V * T / 254 relative to the block's largest p.
//   tests/kernels/cached_attention_test.cc has both as code.
// A row that sees nothing gives 0. NaN in a visible key or value gives NaN; a hidden one has no effect.
#pragma once
#include "kernels/attention/kv_cache.h"
#include "kernels/base/kernel_list.h"

namespace pith::kernels {

inline constexpr size_t kKvRows = 16;    // query rows of one call
inline constexpr size_t kKvSegment = 8;  // blocks between folds: 512 tokens
inline constexpr float kKvLowest = -64;  // below, exp is 0: 2e-28 of the largest

struct CachedAttention {
  KvShape shape;
  const uint8_t* cache = nullptr;  // the head; 64-byte aligned
  size_t tokens = 0;               // in it
  // Row r: f16: `depth` floats; i8: codes of prepare_queries. Both lie query_stride bytes apart.
  const uint8_t* queries = nullptr;
  size_t query_stride = 0;
  const float* query_scales = nullptr;  // i8: of the row, times the softmax scale
  float scale = 1;                      // f16
  // Row r belongs to the query at place position + r / share; causal: it sees t <= its place; window > 0: t > place - window.
  int64_t position = 0;
  size_t share = 1;
  bool causal = true;
  int64_t window = 0;
};

// The tokens row r sees.
[[gnu::always_inline]] constexpr Range visible_tokens(const CachedAttention& a, size_t row) {
  const auto all = static_cast<int64_t>(a.tokens);
  const int64_t place = a.position + static_cast<int64_t>(row / a.share);
  int64_t end = a.causal && place + 1 < all ? place + 1 : all;
  int64_t begin = a.window > 0 && place + 1 - a.window > 0 ? place + 1 - a.window : 0;
  end = end > 0 ? end : 0;
  begin = begin < end ? begin : end;
  return {static_cast<size_t>(begin), static_cast<size_t>(end)};
}

// Of the rows of one call, from 0 on. acc: rows of acc_stride floats, a multiple of 16 that holds value_depth.
struct AttentionState {
  float* top = nullptr;
  float* sum = nullptr;
  float* acc = nullptr;
  size_t acc_stride = 0;
};

// Fills the state with what the rows make of the blocks; reads whole tiles of the last block, none behind it.
using CachedAttentionFn = void (*)(const CachedAttention& a, Range rows, Range blocks,
                                   const AttentionState& out);
struct CachedAttentionKernel {
  const char* name;
  KvKind kind;
  uint32_t needs;      // Cpu bits
  uint8_t query_flip;  // 0x80: query codes are stored as u8, code + 128
  CachedAttentionFn fn;
};
#define KERNEL(fn, kind, needs, flip) \
  void fn(const CachedAttention& a, Range rows, Range blocks, const AttentionState& out);
#include "kernels/attention/cached_attention_list.inc"
#undef KERNEL
using CachedAttentionKernels = KernelList<CachedAttentionKernel>;
CachedAttentionKernels cached_attention_kernels();
const CachedAttentionKernel& select_cached_attention(KvKind kind, Cpu cpu);

// Bytes between query rows, a multiple of 4.
size_t query_row_bytes(const KvShape& shape);
// One row of `depth` floats in the kernel's form; i8: *query_scale = its scale * scale.
void prepare_query(const CachedAttentionKernel& kernel, const KvShape& shape, const float* query, float scale,
                   uint8_t* to, float* query_scale);

// total becomes what the blocks before and those of `next` give together.
void clear_attention(const AttentionState& total, size_t rows);
void fold_attention(const AttentionState& next, size_t rows, const AttentionState& total);
void write_attention(const AttentionState& total, size_t row, size_t value_depth, float* y);

}  // namespace pith::kernels
