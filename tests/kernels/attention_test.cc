// Every variant of the steps of attention against the plain one, bit for bit.
#include "kernels/attention/attention.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "tests/support/guarded_bytes.h"
#include "tests/support/random_values.h"

namespace pith::kernels {
namespace {

using test::GuardedBytes;
using test::Random;

// One head whose rows lie some floats apart, at the end of readable memory.
struct Head {
  AttentionHead a{};
  GuardedBytes q, k, v;
  std::vector<float> y;
  Head(size_t queries, size_t keys, size_t depth, size_t value_depth, size_t gap, Random& random)
      : q(bytes(queries, depth, gap)), k(bytes(keys, depth, gap)), v(bytes(keys, value_depth, gap)) {
    for (GuardedBytes* memory : {&q, &k, &v}) {
      const auto values = random.reals(static_cast<int64_t>(memory->size() / sizeof(float)), -2, 2);
      std::copy(values.begin(), values.end(), memory->as<float>());
    }
    y.assign(queries * value_depth, 0.5f);
    a.q = q.as<float>(), a.q_stride = depth + gap, a.k = k.as<float>(), a.k_stride = depth + gap;
    a.v = v.as<float>(), a.v_stride = value_depth + gap, a.y = y.data(), a.y_stride = value_depth;
    a.depth = depth, a.value_depth = value_depth, a.keys = keys;
    a.scale = 0.37f, a.limit = static_cast<int64_t>(keys);
  }
  static size_t bytes(size_t rows, size_t depth, size_t gap) {
    return ((rows - 1) * (depth + gap) + depth) * sizeof(float);
  }
};

template <class F>
void each_variant(F&& f) {
  const AttentionKernels all = attention_kernels();
  for (size_t i = 0; i + 1 < all.count; ++i)
    if (detect_cpu().has(all.data[i].needs)) f(all.data[i]);
}
const AttentionKernel& plain() { return attention_kernels().data[attention_kernels().count - 1]; }

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  for (size_t i = 0; i < a.size(); ++i)
    if (std::memcmp(&a[i], &b[i], sizeof(float)) != 0 && !(std::isnan(a[i]) && std::isnan(b[i])))
      return false;
  return true;
}

}  // namespace

TEST_CASE(
    "attention in f32 gives the bits of the plain loops for every depth, tail of keys and kind of mask") {
  Random random(31);
  for (size_t depth : {1, 3, 4, 8, 13, 64})
    for (size_t keys : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 130})
      for (size_t queries : {1, 2, 4, 7}) {
        const size_t value_depth = 1 + (depth * 7 + keys) % 40;
        Head h(queries, keys, depth, value_depth, keys % 3, random);
        h.a.causal = keys % 2 == 1;
        h.a.offset = static_cast<int64_t>(keys / 2);
        h.a.limit = static_cast<int64_t>(keys - keys / 8);
        std::vector<float> scores(kAttentionRows * keys);
        attention(plain(), h.a, {0, queries}, scores.data());
        const std::vector<float> expected = h.y;
        each_variant([&](const AttentionKernel& kernel) {
          std::fill(h.y.begin(), h.y.end(), 7.0f);
          attention(kernel, h.a, {0, queries}, scores.data());
          INFO(kernel.name << " depth " << depth << " keys " << keys << " queries " << queries);
          CHECK(same(h.y, expected));
        });
      }
}

TEST_CASE("the softmax of attention agrees on rows that hold infinities, NaN, or nothing visible") {
  Random random(32);
  const float inf = std::numeric_limits<float>::infinity();
  for (size_t n : {1, 4, 7, 8, 11, 16, 21})
    for (float odd : {-inf, inf, std::nanf(""), -90.0f, 0.0f, 1e30f})
      for (size_t at = 0; at <= n; ++at) {
        auto s = random.reals(static_cast<int64_t>(n), -9, 9);
        if (at < n)
          s[at] = odd;
        else
          std::fill(s.begin(), s.end(), odd);
        std::vector<float> expected(s.begin(), s.end());
        plain().softmax(expected.data(), n);
        each_variant([&](const AttentionKernel& kernel) {
          std::vector<float> got(s.begin(), s.end());
          kernel.softmax(got.data(), n);
          INFO(kernel.name << " n " << n << " odd " << odd << " at " << at);
          CHECK(same(got, expected));
        });
      }
}

}  // namespace pith::kernels
