// Attention over a cache in plain loops, token by token: the definition of every kernel's bits.
#include <cmath>
#include <cstring>

#include "kernels/attention/cached_attention.h"
#include "kernels/base/float16.h"
#include "kernels/base/requant.h"
#include "kernels/base/vector_math.h"

namespace pith::kernels {
namespace {

template <class T>
T read_as(const uint8_t* p, size_t index) {
  T v;
  std::memcpy(&v, p + index * sizeof(T), sizeof(T));
  return v;
}

struct RowPass {
  const CachedAttention& a;
  const KvPlanes p;
  size_t row;
  float scores[kKvBlock] = {};  // then e
  float grow = 1;               // f of the block

  float score(const uint8_t* block, size_t t) const {
    const uint8_t* q = a.queries + row * a.query_stride;
    const uint8_t* tile = block + t / kKvTile * p.key_tile;
    const size_t in = t % kKvTile;
    if (a.shape.kind == KvKind::i8) {
      int32_t sum = 0;
      for (size_t i = 0; i < 4 * p.key_steps; ++i)
        sum += static_cast<int8_t>(q[i]) * static_cast<int8_t>(tile[i / 4 * 64 + in * 4 + i % 4]);
      return static_cast<float>(sum) * read_as<float>(block + p.key_scales, t) * a.query_scales[row];
    }
    float sum = 0;
    for (size_t i = 0; i < p.key_steps; ++i)
      sum += read_as<float>(q, i) * to_float(read_as<f16>(tile, i * kKvTile + in));
    return sum * a.scale;
  }

  // Scores of the visible tokens become e; the state's top and sum follow.
  void softmax(const uint8_t* block, Range seen, float* top, float* sum) {
    float most = *top;
    for (size_t t = seen.begin; t < seen.end; ++t) {
      scores[t] = score(block, t);
      most = scores[t] > most ? scores[t] : most;
    }
    grow = exp_of_one(*top - most, kKvLowest);
    *top = most;
    float lanes[16] = {};
    for (size_t t = seen.begin; t < seen.end; ++t) {
      scores[t] = exp_of_one(scores[t] - most, kKvLowest);
      lanes[t % 16] += scores[t];
    }
    *sum = *sum * grow + sum_of_16(lanes);
  }

  void add_codes(const uint8_t* block, Range seen, float* acc) const {
    float w[kKvBlock], most = 0, poison = 0;
    int32_t codes[kKvBlock];
    for (size_t t = seen.begin; t < seen.end; ++t) {
      w[t] = scores[t] > 0 ? scores[t] * read_as<float>(block + p.value_scales, t) : 0.0f;
      most = w[t] > most ? w[t] : most;
      poison += w[t] * 0.0f;
    }
    const bool zero = poison != 0 || most < 1e-30f;
    const float inverse = zero ? 0.0f : 127.0f / most, scale = poison != 0 ? poison
                                                               : zero      ? 0.0f
                                                                           : most / 127.0f;
    for (size_t t = seen.begin; t < seen.end; ++t)
      codes[t] = zero ? 0 : round_half_even_small(w[t] * inverse);
    for (size_t e = 0; e < p.value_chunks * kKvTile; ++e) {
      const uint8_t* v = block + p.values + e / kKvTile * p.value_chunk + e % kKvTile * 4;
      int32_t sum = 0;
      for (size_t t = seen.begin; t < seen.end; ++t)
        sum += codes[t] * static_cast<int8_t>(v[t / 4 * 64 + t % 4]);
      acc[e] = acc[e] * grow + static_cast<float>(sum) * scale;
    }
  }

  void add_halves(const uint8_t* block, Range seen, float* acc) const {
    for (size_t e = 0; e < p.value_chunks * kKvTile; ++e) {
      const uint8_t* v = block + p.values + e / kKvTile * p.value_chunk;
      float sum = 0;
      for (size_t t = seen.begin; t < seen.end; ++t)
        sum += scores[t] * to_float(read_as<f16>(v, t * kKvTile + e % kKvTile));
      acc[e] = acc[e] * grow + sum;
    }
  }
};

constexpr CachedAttentionKernel kAll[] = {
#define KERNEL(fn, kind, needs, flip) {#fn, KvKind::kind, needs, flip, fn},
#include "kernels/attention/cached_attention_list.inc"
#undef KERNEL
};

}  // namespace

void cached_attention_ref(const CachedAttention& a, Range rows, Range blocks, const AttentionState& out) {
  const KvPlanes p = kv_planes(a.shape);
  clear_attention(out, rows.end - rows.begin);
  for (size_t row = rows.begin; row < rows.end; ++row) {
    const Range seen = visible_tokens(a, row);
    const size_t at = row - rows.begin;
    RowPass pass{a, p, row};
    for (size_t b = blocks.begin; b < blocks.end; ++b) {
      const size_t first = b * kKvBlock;
      if (seen.begin == seen.end || seen.end <= first || seen.begin >= first + kKvBlock) continue;
      const Range in_block{seen.begin > first ? seen.begin - first : 0,
                           seen.end < first + kKvBlock ? seen.end - first : kKvBlock};
      pass.softmax(a.cache + b * p.block, in_block, out.top + at, out.sum + at);
      float* acc = out.acc + at * out.acc_stride;
      if (a.shape.kind == KvKind::i8)
        pass.add_codes(a.cache + b * p.block, in_block, acc);
      else
        pass.add_halves(a.cache + b * p.block, in_block, acc);
    }
  }
}

CachedAttentionKernels cached_attention_kernels() { return {kAll, sizeof kAll / sizeof kAll[0]}; }

const CachedAttentionKernel& select_cached_attention(KvKind kind, Cpu cpu) {
  size_t i = 0;
  while (kAll[i].kind != kind || !cpu.has(kAll[i].needs)) ++i;  // the references are last and need nothing
  return kAll[i];
}

size_t query_row_bytes(const KvShape& s) {
  return s.kind == KvKind::i8 ? (s.depth + 3) / 4 * 4 : s.depth * sizeof(float);
}

void prepare_query(const CachedAttentionKernel& kernel, const KvShape& s, const float* query, float scale,
                   uint8_t* to, float* query_scale) {
  if (s.kind == KvKind::f16) {
    std::memcpy(to, query, s.depth * sizeof(float));
    return;
  }
  std::memset(to, kernel.query_flip, query_row_bytes(s));
  float top = 0, poison = 0;
  for (size_t i = 0; i < s.depth; ++i) {
    top = std::fabs(query[i]) > top ? std::fabs(query[i]) : top;
    poison += query[i] * 0.0f;
  }
  if (poison != 0 || top < 1e-30f) {  // NaN or nothing
    *query_scale = poison != 0 ? poison : 0.0f;
    return;
  }
  const float inverse = 127.0f / top;
  for (size_t i = 0; i < s.depth; ++i)
    to[i] = static_cast<uint8_t>(round_half_even_small(query[i] * inverse) ^ kernel.query_flip);
  *query_scale = top / 127.0f * scale;
}

void clear_attention(const AttentionState& total, size_t rows) {
  for (size_t r = 0; r < rows; ++r) {
    total.top[r] = -INFINITY, total.sum[r] = 0;
    std::memset(total.acc + r * total.acc_stride, 0, total.acc_stride * sizeof(float));
  }
}

void fold_attention(const AttentionState& next, size_t rows, const AttentionState& total) {
  for (size_t r = 0; r < rows; ++r) {
    if (next.top[r] == -INFINITY && next.sum[r] == 0) continue;  // saw nothing
    const float top = next.top[r] > total.top[r] ? next.top[r] : total.top[r];
    const float grow = exp_of_one(total.top[r] - top, kKvLowest),
                part = exp_of_one(next.top[r] - top, kKvLowest);
    total.top[r] = top;
    total.sum[r] = total.sum[r] * grow + next.sum[r] * part;
    float* acc = total.acc + r * total.acc_stride;
    const float* more = next.acc + r * next.acc_stride;
    for (size_t e = 0; e < total.acc_stride; ++e) acc[e] = acc[e] * grow + more[e] * part;
  }
}

void write_attention(const AttentionState& total, size_t row, size_t value_depth, float* y) {
  const float* acc = total.acc + row * total.acc_stride;
  const float sum = total.sum[row], inverse = sum == 0 ? 0.0f : 1.0f / sum;
  for (size_t e = 0; e < value_depth; ++e) y[e] = acc[e] * inverse;
}

}  // namespace pith::kernels
