// One token's attention over a long cache: our fused kernels, all query heads of a KV head together, against a loop that
// goes through row-major halves once per query head, in alternating rounds of one process.
//   pith_attention_bench [MEGABYTES=100 [TOKENS=4096 [GROUP=4 [KERNEL]]]]      KERNEL: a part of its name
// MEGABYTES: of the INT8 cache, spread over as many KV heads of TOKENS tokens as fit; depth 128. One thread, wall time, medians.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "bench/bench_timing.h"
#include "bench/machine_limits.h"
#include "kernels/attention/cached_attention.h"
#include "kernels/base/float16.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pith {
namespace {

using namespace kernels;
constexpr size_t kDepth = 128;

struct Free {
  void operator()(uint8_t* p) const { std::free(p); }
};
using Bytes = std::unique_ptr<uint8_t, Free>;
Bytes make_bytes(size_t n) {
  return Bytes(static_cast<uint8_t*>(std::aligned_alloc(64, (n + 63) / 64 * 64)));
}

// All KV heads of one kind of cache, and queries for them.
struct Cache {
  KvShape shape;
  size_t heads, tokens, group, head_bytes;
  Bytes bytes;
  std::vector<float> queries;

  Cache(KvKind kind, size_t heads_, size_t tokens_, size_t group_)
      : shape{kind, kDepth, kDepth}, heads(heads_), tokens(tokens_), group(group_) {
    head_bytes = kv_blocks(tokens) * kv_planes(shape).block;
    bytes = make_bytes(heads * head_bytes);
    std::mt19937 rng(1);
    std::normal_distribution<float> normal;
    std::vector<float> rows(2 * 256 * kDepth);
    for (float& x : rows) x = normal(rng);
    for (size_t h = 0; h < heads; ++h)
      for (size_t t = 0; t < tokens; t += 256)
        kv_append(shape,
                  {rows.data(), kDepth, &rows[256 * kDepth], kDepth, t, std::min<size_t>(256, tokens - t)},
                  bytes.get() + h * head_bytes);
    queries.resize(heads * group * kDepth);
    for (float& x : queries) x = normal(rng);
  }

  // `together` query rows in each pass.
  void attend(const CachedAttentionKernel& kernel, size_t together, float* y) const {
    alignas(64) uint8_t codes[kKvRows * kDepth * sizeof(float)];
    alignas(64) float memory[2][kKvRows * (kDepth + 2)], scales[kKvRows];
    AttentionState state[2];
    for (int i = 0; i < 2; ++i) state[i] = {memory[i], memory[i] + kKvRows, memory[i] + 2 * kKvRows, kDepth};
    CachedAttention a{shape};
    a.queries = codes, a.query_stride = query_row_bytes(shape), a.query_scales = scales;
    a.tokens = tokens, a.causal = false, a.share = group, a.scale = 1 / std::sqrt(static_cast<float>(kDepth));
    const size_t blocks = kv_blocks(tokens);
    for (size_t h = 0; h < heads; ++h) {
      a.cache = bytes.get() + h * head_bytes;
      for (size_t r = 0; r < group; ++r)
        prepare_query(kernel, shape, &queries[(h * group + r) * kDepth], a.scale, codes + r * a.query_stride,
                      scales + r);
      for (size_t r = 0; r < group; r += together) {
        clear_attention(state[0], together);
        for (size_t b = 0; b < blocks; b += kKvSegment) {
          kernel.fn(a, {r, r + together}, {b, std::min(blocks, b + kKvSegment)}, state[1]);
          fold_attention(state[1], together, state[0]);
        }
        for (size_t i = 0; i < together; ++i)
          write_attention(state[0], i, kDepth, y + (h * group + r + i) * kDepth);
      }
    }
  }
};

// The plain way with halves: token by token rows, one query head after the other.
struct HalfRows {
  size_t heads, tokens, group;
  std::vector<f16> keys, values;
  std::vector<float> scores;

  HalfRows(const Cache& from)
      : heads(from.heads), tokens(from.tokens), group(from.group), scores(from.tokens) {
    keys.resize(heads * tokens * kDepth), values.resize(keys.size());
    float row[kDepth];
    for (size_t h = 0; h < heads; ++h)
      for (size_t t = 0; t < tokens; ++t) {
        const size_t at = (h * tokens + t) * kDepth;
        kv_read_key(from.shape, from.bytes.get() + h * from.head_bytes, t, row);
        for (size_t i = 0; i < kDepth; ++i) keys[at + i] = to_f16(row[i]);
        kv_read_value(from.shape, from.bytes.get() + h * from.head_bytes, t, row);
        for (size_t i = 0; i < kDepth; ++i) values[at + i] = to_f16(row[i]);
      }
  }
  void attend(const std::vector<float>& queries, float* y) {
    for (size_t h = 0; h < heads; ++h)
      for (size_t r = 0; r < group; ++r) {
        const size_t row = (h * group + r) * kDepth;
        head(&queries[row], &keys[h * tokens * kDepth], &values[h * tokens * kDepth], y + row);
      }
  }
  void softmax() {
    float most = scores[0], sum = 0;
    for (float s : scores) most = std::max(most, s);
    for (float& s : scores) sum += s = std::exp(s - most);
    for (float& s : scores) s /= sum;
  }
#if defined(__x86_64__)
  // GCC 12: attributes of functions do not reach lambdas, hence two spelled-out versions.
  void head(const float* q, const f16* k, const f16* v, float* y) {
    detect_cpu().has(Cpu::avx512vnni) ? head_zmm(q, k, v, y) : head_ymm(q, k, v, y);
  }
  __attribute__((target("avx512f,avx2,fma,f16c"))) static __m512 load(const f16* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(static_cast<const void*>(p))));
  }
  __attribute__((target("avx512f,avx2,fma,f16c"))) void head_zmm(const float* q, const f16* k, const f16* v,
                                                                 float* y) {
    const float scale = 1 / std::sqrt(static_cast<float>(kDepth));
    for (size_t t = 0; t < tokens; ++t, k += kDepth) {
      __m512 s0 = _mm512_mul_ps(_mm512_loadu_ps(q), load(k)),
             s1 = _mm512_mul_ps(_mm512_loadu_ps(q + 16), load(k + 16));
      for (size_t i = 32; i < kDepth; i += 32) {
        s0 = _mm512_fmadd_ps(_mm512_loadu_ps(q + i), load(k + i), s0);
        s1 = _mm512_fmadd_ps(_mm512_loadu_ps(q + i + 16), load(k + i + 16), s1);
      }
      scores[t] = scale * _mm512_reduce_add_ps(_mm512_add_ps(s0, s1));
    }
    softmax();
    __m512 s[8];
    for (auto& x : s) x = _mm512_setzero_ps();
    for (size_t t = 0; t < tokens; ++t, v += kDepth)
#pragma GCC unroll 8
      for (size_t i = 0; i < 8; ++i)
        s[i] = _mm512_fmadd_ps(_mm512_set1_ps(scores[t]), load(v + 16 * i), s[i]);
    for (size_t i = 0; i < 8; ++i) _mm512_storeu_ps(y + 16 * i, s[i]);
  }
  __attribute__((target("avx2,fma,f16c"))) static __m256 load_ymm(const f16* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(static_cast<const void*>(p))));
  }
  __attribute__((target("avx2,fma,f16c"))) void head_ymm(const float* q, const f16* k, const f16* v,
                                                         float* y) {
    const float scale = 1 / std::sqrt(static_cast<float>(kDepth));
    for (size_t t = 0; t < tokens; ++t, k += kDepth) {
      __m256 s[4];
      for (auto& x : s) x = _mm256_setzero_ps();
      for (size_t i = 0; i < kDepth; i += 32)
#pragma GCC unroll 4
        for (size_t j = 0; j < 4; ++j)
          s[j] = _mm256_fmadd_ps(_mm256_loadu_ps(q + i + 8 * j), load_ymm(k + i + 8 * j), s[j]);
      const __m256 sum = _mm256_add_ps(_mm256_add_ps(s[0], s[1]), _mm256_add_ps(s[2], s[3]));
      __m128 h = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1));
      h = _mm_add_ps(h, _mm_movehl_ps(h, h));
      scores[t] = scale * _mm_cvtss_f32(_mm_add_ss(h, _mm_movehdup_ps(h)));
    }
    softmax();
    for (size_t half = 0; half < kDepth; half += 64) {  // eight sums: as many as hide an addition
      __m256 s[8];
      for (auto& x : s) x = _mm256_setzero_ps();
      for (size_t t = 0; t < tokens; ++t)
#pragma GCC unroll 8
        for (size_t i = 0; i < 8; ++i)
          s[i] = _mm256_fmadd_ps(_mm256_set1_ps(scores[t]), load_ymm(v + t * kDepth + half + 8 * i), s[i]);
      for (size_t i = 0; i < 8; ++i) _mm256_storeu_ps(y + half + 8 * i, s[i]);
    }
  }
#else
  void head(const float* q, const f16* k, const f16* v, float* y) {
    for (size_t t = 0; t < tokens; ++t, k += kDepth) {
      float sum = 0;
      for (size_t i = 0; i < kDepth; ++i) sum += q[i] * to_float(k[i]);
      scores[t] = sum / std::sqrt(static_cast<float>(kDepth));
    }
    softmax();
    std::fill_n(y, kDepth, 0.0f);
    for (size_t t = 0; t < tokens; ++t, v += kDepth)
      for (size_t i = 0; i < kDepth; ++i) y[i] += scores[t] * to_float(v[i]);
  }
#endif
};

double decibels(const std::vector<float>& exact, const std::vector<float>& y) {
  double signal = 0, noise = 0;
  for (size_t i = 0; i < y.size(); ++i)
    signal += double{exact[i]} * exact[i], noise += double{y[i] - exact[i]} * (y[i] - exact[i]);
  return 10 * std::log10(signal / noise);
}

int compare(size_t megabytes, size_t tokens, size_t group, const char* only) {
  const Cpu cpu = detect_cpu();
  const size_t head_bytes = kv_blocks(tokens) * kv_planes({KvKind::i8, kDepth, kDepth}).block;
  const size_t heads = std::max<size_t>(1, megabytes * 1000000 / head_bytes);
  if (tokens == 0 || group == 0 || group > kKvRows) return std::printf("TOKENS >= 1, GROUP 1 to 16\n"), 1;
  const Cache halves(KvKind::f16, heads, tokens, group), codes(KvKind::i8, heads, tokens, group);
  HalfRows rows(halves);
  const size_t count = heads * group * kDepth;
  std::vector<float> exact(count), y(count);
  const double i8_bytes = static_cast<double>(heads * head_bytes);
  std::printf("%zu KV heads, %zu tokens, %zu queries each: INT8 cache %.0f MB, FP16 %.0f MB\n", heads, tokens,
              group, i8_bytes / 1e6, static_cast<double>(heads * halves.head_bytes) / 1e6);
  std::vector<bench::Contestant> all;
  all.push_back({"per-head loop over halves", [&] { rows.attend(halves.queries, exact.data()); }});
  all.push_back(
      {"read INT8 cache", [&] { bench::read_all(codes.bytes.get(), heads * head_bytes / 512 * 512); }});
  const CachedAttentionKernels kernels = cached_attention_kernels();
  for (size_t i = 0; i < kernels.count; ++i) {
    const CachedAttentionKernel& k = kernels.data[i];
    const Cache& cache = k.kind == KvKind::i8 ? codes : halves;
    if (!cpu.has(k.needs) || k.needs == Cpu::none || std::strstr(k.name, only) == nullptr) continue;
    all.push_back({k.name, [&] { cache.attend(k, group, y.data()); }});
    if (k.needs == Cpu::avx512vnni)
      all.push_back({std::string(k.name) + ", one head at a time", [&] { cache.attend(k, 1, y.data()); }});
  }
  rows.attend(halves.queries, exact.data());
  for (KvKind kind : {KvKind::f16, KvKind::i8}) {
    (kind == KvKind::i8 ? codes : halves).attend(select_cached_attention(kind, cpu), group, y.data());
    std::printf("%s against the loop: %.1f dB\n", kind == KvKind::i8 ? "INT8" : "FP16", decibels(exact, y));
  }
  bench::take_turns(all, 11, 0.05, true);
  for (const bench::Contestant& c : all)
    std::printf("%-56s %9.4f ms  %5.2f x the loop  %5.2f x the time of reading\n", c.name.c_str(),
                1e3 / c.rate, c.rate / all[0].rate, all[1].rate / c.rate);
  return 0;
}

}  // namespace
}  // namespace pith

int main(int argc, char** argv) {
  const auto number = [&](int i, size_t otherwise) {
    return argc > i ? static_cast<size_t>(std::strtoul(argv[i], nullptr, 10)) : otherwise;
  };
  return pith::compare(number(1, 100), number(2, 4096), number(3, 4), argc > 4 ? argv[4] : "");
}
