// A cache of one head, next to guard pages, filled with random tokens, and one way to run a kernel over it.
#pragma once
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/attention/cached_attention.h"
#include "tests/support/guarded_bytes.h"
#include "tests/support/random_values.h"

namespace pith::test {

struct CachedAttentionMaker {
  kernels::KvShape shape;
  size_t tokens, rows;
  std::vector<float> keys, values, queries;
  GuardedBytes cache;
  kernels::CachedAttention args;

  CachedAttentionMaker(const kernels::KvShape& s, size_t tokens_, size_t rows_, Random& random,
                       float range = 1)
      : shape(s),
        tokens(tokens_),
        rows(rows_),
        keys(random.reals(static_cast<int64_t>(tokens * s.depth), -range, range)),
        values(random.reals(static_cast<int64_t>(tokens * s.value_depth), -range, range)),
        queries(random.reals(static_cast<int64_t>(rows * s.depth), -range, range)),
        cache(kernels::kv_blocks(tokens) * kernels::kv_planes(s).block) {
    // Memory as it comes: the parts nobody has written must not matter.
    std::memset(cache.data(), 0xff, cache.size());
    fill();
    args.shape = s;
    args.cache = cache.data();
    args.tokens = tokens;
    args.scale = 1.0f / std::sqrt(static_cast<float>(s.depth));
  }
  void fill() {
    kernels::kv_append(shape, {keys.data(), shape.depth, values.data(), shape.value_depth, 0, tokens},
                       cache.data());
  }

  // y[rows][value_depth], rows `step` at a time, folded over segments.
  std::vector<float> run(const kernels::CachedAttentionKernel& kernel, size_t step = kernels::kKvRows) const {
    using namespace kernels;
    const size_t row_bytes = query_row_bytes(shape), width = (shape.value_depth + 15) / 16 * 16;
    const GuardedBytes codes(rows * row_bytes, 4);
    std::vector<float> scales(rows), y(rows * shape.value_depth);
    for (size_t r = 0; r < rows; ++r)
      prepare_query(kernel, shape, &queries[r * shape.depth], args.scale, codes.data() + r * row_bytes,
                    &scales[r]);
    CachedAttention a = args;
    a.queries = codes.data(), a.query_stride = row_bytes, a.query_scales = scales.data();
    std::vector<float> memory(2 * kKvRows * (width + 2));
    const auto state = [&](size_t i) {
      float* at = &memory[i * kKvRows * (width + 2)];
      return AttentionState{at, at + kKvRows, at + 2 * kKvRows, width};
    };
    const size_t blocks = kv_blocks(tokens);
    for (size_t r = 0; r < rows; r += step) {
      const size_t count = std::min(step, rows - r);
      clear_attention(state(0), count);
      for (size_t b = 0; b < blocks; b += kKvSegment) {
        kernel.fn(a, {r, r + count}, {b, std::min(blocks, b + kKvSegment)}, state(1));
        fold_attention(state(1), count, state(0));
      }
      for (size_t i = 0; i < count; ++i)
        write_attention(state(0), i, shape.value_depth, &y[(r + i) * shape.value_depth]);
    }
    return y;
  }
};

// The same bits, or NaN in both.
inline size_t differing(const std::vector<float>& a, const std::vector<float>& b) {
  size_t wrong = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < a.size() && i < b.size(); ++i)
    wrong += std::memcmp(&a[i], &b[i], sizeof(float)) != 0 && !(std::isnan(a[i]) && std::isnan(b[i])) ? 1 : 0;
  return wrong;
}

}  // namespace pith::test
