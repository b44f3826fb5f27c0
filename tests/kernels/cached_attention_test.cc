// Attention over a cache: every kernel gives the bits of the plain one, and that one is near exact attention.
#include "kernels/attention/cached_attention.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "tests/support/cached_attention_maker.h"

namespace pith::kernels {
namespace {

using test::CachedAttentionMaker;
constexpr double kU = 0x1p-24;

struct Exact {
  std::vector<double> y, bound;
};

// Attention in double over what the cache holds, and how far off a kernel may be (cached_attention.h).
Exact exact_attention(const CachedAttentionMaker& m) {
  const KvShape& s = m.shape;
  Exact out;
  std::vector<float> keys(m.tokens * s.depth), values(m.tokens * s.value_depth);
  for (size_t t = 0; t < m.tokens; ++t) {
    kv_read_key(s, m.cache.data(), t, &keys[t * s.depth]);
    kv_read_value(s, m.cache.data(), t, &values[t * s.value_depth]);
  }
  for (size_t r = 0; r < m.rows; ++r) {
    const Range seen = visible_tokens(m.args, r);
    const float* q = &m.queries[r * s.depth];
    double top_query = 0, most = -1e300, size = 0, query_error = 0;
    for (size_t i = 0; i < s.depth; ++i) top_query = std::max(top_query, std::abs(double{q[i]}));
    std::vector<double> e(m.tokens);
    for (size_t t = seen.begin; t < seen.end; ++t) {
      double sum = 0, absolute = 0, key = 0;
      for (size_t i = 0; i < s.depth; ++i) {
        const double k = keys[t * s.depth + i];
        sum += q[i] * k, absolute += std::abs(q[i] * k), key += std::abs(k);
      }
      e[t] = sum * m.args.scale;
      most = std::max(most, e[t]);
      size = std::max(size, absolute * m.args.scale);
      query_error = std::max(query_error, m.args.scale * top_query / 254 * key);
    }
    double total = 0;
    for (size_t t = seen.begin; t < seen.end; ++t) total += e[t] = std::exp(e[t] - most);
    const bool i8 = s.kind == KvKind::i8;
    const auto count = static_cast<double>(seen.end - seen.begin), depth = static_cast<double>(s.depth);
    // A score is off by so much; numerator and denominator follow it.
    const double score =
        (i8 ? query_error + 6 * size * kU : (depth + 3) * size * kU) + 2 * size * kU + 4 * kU;
    for (size_t d = 0; d < s.value_depth; ++d) {
      double sum = 0, high = 0, codes = 0;
      for (size_t t = seen.begin; t < seen.end; ++t) {
        const double v = values[t * s.value_depth + d];
        sum += e[t] * v, high = std::max(high, std::abs(v));
      }
      for (size_t b = 0; i8 && b < m.tokens;
           b += kKvBlock) {  // w is rounded to c / 127: each code is off by 1/2
        double c = 0, absolute = 0;
        for (size_t t = std::max(b, seen.begin); t < std::min(b + kKvBlock, seen.end); ++t) {
          float scale = 0;
          std::memcpy(&scale,
                      m.cache.data() + t / 64 * kv_planes(s).block + kv_planes(s).value_scales + t % 64 * 4,
                      4);
          c = std::max(c, e[t] * scale);
          absolute += scale > 0 ? std::abs(values[t * s.value_depth + d]) / scale : 0;
        }
        codes += c / 254 * absolute;
      }
      out.y.push_back(total > 0 ? sum / total : 0);
      out.bound.push_back(high * (std::expm1(2 * score) + (2 * count + 50) * kU) +
                          (total > 0 ? codes / total * std::exp(2 * score) * (1 + 1e-5) : 0) + 1e-37);
    }
  }
  return out;
}

const CachedAttentionKernel& reference(KvKind kind) { return select_cached_attention(kind, Cpu{}); }

// Calls f for every kernel this processor can run.
template <class F>
void each_kernel(KvKind kind, const F& f) {
  const CachedAttentionKernels all = cached_attention_kernels();
  for (size_t i = 0; i < all.count; ++i)
    if (all.data[i].kind == kind && detect_cpu().has(all.data[i].needs)) f(all.data[i]);
}

constexpr KvKind kKinds[] = {KvKind::f16, KvKind::i8};

}  // namespace

TEST_CASE("attention over a cache: all kernels give the same bits, at every tail, next to guard pages") {
  test::Random random(11);
  for (KvKind kind : kKinds)
    for (size_t depth : {1, 4, 7, 64, 80, 128})
      for (size_t value_depth : {1, 16, 33, 128})
        for (size_t tokens : {1, 15, 64, 65, 100, 700}) {
          if (tokens == 700 && (depth == 7 || value_depth == 33)) continue;
          const size_t rows = 1 + (depth + tokens) % 19;
          CachedAttentionMaker m({kind, depth, value_depth}, tokens, rows, random, 3);
          m.args.share = 1 + tokens % 4;
          m.args.position = static_cast<int64_t>(tokens) - static_cast<int64_t>(rows / m.args.share) - 1;
          m.args.causal = tokens % 2 == 0;
          m.args.window = tokens % 3 == 0 ? 40 : 0;
          const std::vector<float> expected = m.run(reference(kind));
          each_kernel(kind, [&](const CachedAttentionKernel& k) {
            CAPTURE(k.name);
            CAPTURE(depth);
            CAPTURE(value_depth);
            CAPTURE(tokens);
            CHECK(test::differing(m.run(k), expected) == 0);
            CHECK(test::differing(m.run(k, 1 + rows / 2), expected) == 0);
          });
        }
}

TEST_CASE("attention over a cache keeps its error bound against double") {
  test::Random random(12);
  for (KvKind kind : kKinds)
    for (float range : {0.1f, 1.0f, 6.0f})
      for (size_t tokens : {1, 63, 300, 1500}) {
        CachedAttentionMaker m({kind, 64, 48}, tokens, 8, random, range);
        m.args.share = 4;
        m.args.position = static_cast<int64_t>(tokens) - 2;
        m.args.window = tokens == 300 ? 100 : 0;
        const Exact exact = exact_attention(m);
        const std::vector<float> y = m.run(select_cached_attention(kind, detect_cpu()));
        double worst = 0, signal = 0, noise = 0;
        for (size_t i = 0; i < y.size(); ++i) {
          worst = std::max(worst, std::abs(y[i] - exact.y[i]) / exact.bound[i]);
          signal += exact.y[i] * exact.y[i], noise += (y[i] - exact.y[i]) * (y[i] - exact.y[i]);
        }
        CAPTURE(static_cast<int>(kind));
        CAPTURE(range);
        CAPTURE(tokens);
        CHECK(worst <= 1);
        // What queries and probabilities in 8 bits cost on random data, where nothing stands out.
        if (range <= 1) CHECK(10 * std::log10(signal / noise) > (kind == KvKind::i8 ? 30 : 100));
      }
}

TEST_CASE("attention over a cache: what is hidden has no effect, what is seen and NaN shows") {
  test::Random random(13);
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (KvKind kind : kKinds) {
    CachedAttentionMaker m({kind, 32, 32}, 130, 8, random);
    m.args.share = 2, m.args.position = 100, m.args.window = 20;  // the last row sees 84..103
    const std::vector<float> clean = m.run(reference(kind));
    const auto poison = [&](size_t t) {
      for (size_t i = 0; i < 32; ++i) m.keys[t * 32 + i] = m.values[t * 32 + i] = kNan;
      m.fill();
    };
    poison(80), poison(104), poison(129);
    each_kernel(kind, [&](const CachedAttentionKernel& k) { CHECK(test::differing(m.run(k), clean) == 0); });
    poison(101);
    each_kernel(kind, [&](const CachedAttentionKernel& k) {
      const std::vector<float> y = m.run(k);
      CHECK(std::isfinite(y[0]));    // place 100
      CHECK(std::isnan(y[2 * 32]));  // place 101
      CHECK(test::differing(y, m.run(reference(kind))) == 0);
    });
  }
}

TEST_CASE("attention over a cache: a row that sees nothing gives zero") {
  test::Random random(14);
  for (KvKind kind : kKinds) {
    CachedAttentionMaker behind({kind, 8, 8}, 20, 3, random);
    behind.args.position = 30, behind.args.causal = false, behind.args.window = 11;  // from 20 on, 21, 22
    CachedAttentionMaker m({kind, 8, 8}, 20, 3, random);
    m.args.position = -2;  // rows at -2, -1, 0
    each_kernel(kind, [&](const CachedAttentionKernel& k) {
      const std::vector<float> y = m.run(k);
      CHECK(std::all_of(y.begin(), y.begin() + 16, [](float v) { return v == 0; }));
      CHECK(y[16] != 0);
      const std::vector<float> none = behind.run(k);
      CHECK(std::all_of(none.begin(), none.end(), [](float v) { return v == 0; }));
    });
  }
}

TEST_CASE("a cache holds what was put in, wherever it began, and clears what a block held before") {
  test::Random random(15);
  for (KvKind kind : kKinds) {
    const KvShape shape{kind, 37, 20};
    CachedAttentionMaker m(shape, 90, 1, random);
    const std::vector<uint8_t> at_once(m.cache.data(), m.cache.data() + m.cache.size());
    std::memset(m.cache.data(), 0xee, m.cache.size());
    for (size_t t = 0; t < 90; t += 7)  // in pieces
      kv_append(shape, {&m.keys[t * 37], 37, &m.values[t * 20], 20, t, std::min<size_t>(7, 90 - t)},
                m.cache.data());
    CHECK(std::memcmp(at_once.data(), m.cache.data(), at_once.size()) == 0);
    float key[37], value[20], worst = 0;
    for (size_t t = 0; t < 90; ++t) {
      kv_read_key(shape, m.cache.data(), t, key);
      kv_read_value(shape, m.cache.data(), t, value);
      for (size_t i = 0; i < 37; ++i) worst = std::max(worst, std::abs(key[i] - m.keys[t * 37 + i]));
      for (size_t i = 0; i < 20; ++i) worst = std::max(worst, std::abs(value[i] - m.values[t * 20 + i]));
    }
    CHECK(worst <= (kind == KvKind::i8 ? 1.0f / 254 + 1e-6f : 0x1p-12f));
  }
  CachedAttentionMaker m({KvKind::i8, 128, 128}, 71, 1, random);  // the example of kv_cache.h
  float key[128];
  kv_read_key(m.shape, m.cache.data(), 70, key);
  float scale = 0;
  std::memcpy(&scale, m.cache.data() + 17152 + 8192 + 256 + 6 * 4, 4);
  CHECK(key[5] == static_cast<float>(static_cast<int8_t>(m.cache.data()[17152 + 64 + 24 + 1])) * scale);
}

}  // namespace pith::kernels
