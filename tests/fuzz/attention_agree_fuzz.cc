// Every kernel for attention over a cache, fed the same arguments, must give the bits the scalar one gives; next to guard pages.
// The input seeds a generator that chooses everything.
#include <cstdio>
#include <cstdlib>
#include <random>

#include "tests/support/cached_attention_maker.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pith;
  using namespace pith::kernels;
  std::seed_seq seed(data, data + (size < 256 ? size : 256));
  std::mt19937 rng(seed);
  const auto up_to = [&](size_t n) { return 1 + rng() % n; };
  const KvShape shape{rng() % 2 == 0 ? KvKind::i8 : KvKind::f16, up_to(160), up_to(160)};
  test::Random random(rng());
  const float kRanges[] = {1e-20f, 0.1f, 3.0f, 1e4f};
  test::CachedAttentionMaker m(shape, up_to(rng() % 4 == 0 ? 1200 : 150), up_to(20), random,
                               kRanges[rng() % 4]);
  m.args.share = up_to(m.rows);
  m.args.causal = rng() % 3 != 0;
  m.args.position = static_cast<int64_t>(rng() % (m.tokens + 20)) - 10;
  m.args.window = rng() % 3 == 0 ? static_cast<int64_t>(up_to(m.tokens)) : 0;
  for (size_t odd = rng() % 4; odd > 0; --odd) {
    const float kOdd[] = {0.0f, -0.0f, 1e30f, -3e38f, INFINITY, NAN};
    std::vector<float>& to = rng() % 3 == 0 ? m.queries : rng() % 2 == 0 ? m.keys : m.values;
    to[rng() % to.size()] = kOdd[rng() % 6];
  }
  m.fill();
  static const Cpu cpu = detect_cpu();
  const std::vector<float> expected = m.run(select_cached_attention(shape.kind, Cpu{}));
  const CachedAttentionKernels all = cached_attention_kernels();
  const size_t step = up_to(kKvRows);
  for (size_t i = 0; i < all.count; ++i) {
    const CachedAttentionKernel& kernel = all.data[i];
    if (kernel.kind != shape.kind || !cpu.has(kernel.needs)) continue;
    if (test::differing(m.run(kernel, step), expected) == 0) continue;
    std::fprintf(stderr,
                 "%s differs from the reference: depths %zu and %zu, %zu tokens, %zu rows (%zu in a call)\n",
                 kernel.name, shape.depth, shape.value_depth, m.tokens, m.rows, step);
    std::abort();
  }
  return 0;
}
