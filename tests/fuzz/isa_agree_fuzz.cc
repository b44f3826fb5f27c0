// Every kernel for packed weights, fed the same arguments, must give the bits the scalar one gives; next to guard pages.
// The input chooses layout, sizes, partition and values; what it does not say comes from a generator seeded by it.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <limits>
#include <random>
#include <vector>

#include "kernels/gemm/panel_gemm.h"
#include "tests/support/panel_maker.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace pith {
namespace {

using namespace kernels;

struct Arguments {
  PanelMatrix matrix;
  size_t m = 1, step = 1;  // rows; rows of one call
  std::vector<float> x;
  float clamp_min = 0, clamp_max = 0;
};

Arguments read_arguments(std::mt19937& rng) {
  constexpr Layout kLayouts[] = {Layout::i8c,   Layout::i4s8, Layout::i4a,
                                 Layout::i4f16, Layout::lut4, Layout::lut4s8};
  Arguments a;
  a.matrix.layout = kLayouts[rng() % std::size(kLayouts)];
  if (a.matrix.layout != Layout::i8c) a.matrix.group = static_cast<uint16_t>(32u << rng() % 3);
  a.matrix.n = 1 + rng() % 80;
  a.matrix.k = 1 + rng() % (rng() % 4 == 0 ? 700 : 150);
  a.m = 1 + rng() % (rng() % 4 == 0 ? 140 : 20);
  a.step = 1 + rng() % a.m;
  const float range = rng() % 3 == 0 ? 1e-20f : 3.0f;
  for (size_t i = 0; i < a.m * a.matrix.k; ++i)
    a.x.push_back(range * (static_cast<float>(rng() % 2001) - 1000.0f) / 1000.0f);
  for (size_t odd = rng() % 4; odd > 0; --odd) {
    const float kOdd[] = {0.0f, -0.0f, 1e38f, -3e38f, std::numeric_limits<float>::infinity(), std::nanf("")};
    a.x[rng() % a.x.size()] = kOdd[rng() % 6];
  }
  a.clamp_min = rng() % 2 == 0 ? -std::numeric_limits<float>::infinity() : 0.0f;
  a.clamp_max = rng() % 2 == 0 ? std::numeric_limits<float>::infinity() : 6.0f;
  return a;
}

std::vector<float> run(const PanelGemmKernel& kernel, const RowQuantizer& quantizer, const Arguments& a,
                       const test::PanelWeightsMaker& w) {
  const auto n = static_cast<size_t>(a.matrix.n), k = static_cast<size_t>(a.matrix.k);
  const test::GuardedBytes memory(row_codes_bytes(kernel.form, a.m, k), 64), y(a.m * n * sizeof(float));
  PanelGemmArgs args;
  args.w = panel_weights(a.matrix, w.bytes->data(), w.codebook.data());
  args.x = place_row_codes(kernel.form, a.m, k, memory.data());
  quantizer.fn(a.x.data(), args.x, {0, a.m});
  args.y = y.as<float>();
  args.clamp_min = a.clamp_min, args.clamp_max = a.clamp_max;
  for (size_t r = 0; r < a.m; r += a.step)
    kernel.fn(args, {0, args.w.panels}, {r, r + a.step < a.m ? r + a.step : a.m});
  return {args.y, args.y + a.m * n};
}

}  // namespace
}  // namespace pith

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pith;
  using namespace pith::kernels;
  std::seed_seq seed(data, data + (size < 256 ? size : 256));
  std::mt19937 rng(seed);
  const Arguments a = read_arguments(rng);
  const test::PanelWeightsMaker w(a.matrix, rng, rng() % 3 == 0 ? test::Fill::extreme : test::Fill::random);
  static const Cpu cpu = detect_cpu();
  const std::vector<float> expected =
      run(*select_panel_gemm(a.matrix.layout, Cpu{}), select_row_quantizer(Cpu{}), a, w);
  const PanelGemmKernels all = panel_gemm_kernels();
  for (size_t i = 0; i < all.count; ++i) {
    const PanelGemmKernel& kernel = all.data[i];
    if (kernel.layout != a.matrix.layout || !cpu.has(kernel.needs)) continue;
    const std::vector<float> y = run(kernel, select_row_quantizer(cpu), a, w);
    if (std::memcmp(y.data(), expected.data(), y.size() * sizeof(float)) == 0) continue;
    std::fprintf(stderr, "%s differs from the reference: group %u, M %zu (calls of %zu), N %llu, K %llu\n",
                 kernel.name, a.matrix.group, a.m, a.step, static_cast<unsigned long long>(a.matrix.n),
                 static_cast<unsigned long long>(a.matrix.k));
    std::abort();
  }
  return 0;
}
