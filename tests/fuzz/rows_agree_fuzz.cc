// Every kernel for runs and rows of codes and floats (tables, sums and products, pooling, quantizing, float rows), fed the same
// arguments, must give the bytes of the scalar one; next to guard pages. The input seeds a generator that chooses everything.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <random>
#include <vector>

#include "kernels/elementwise/code_runs.h"
#include "kernels/lookup/code_table.h"
#include "kernels/pool/code_rows.h"
#include "kernels/quantize/codes_of_floats.h"
#include "kernels/resize/blend_codes.h"
#include "kernels/rows/float_rows.h"
#include "tests/support/guarded_bytes.h"
#include "tests/support/random_values.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace pith {
namespace {

using namespace kernels;
using test::GuardedBytes;
using test::Random;

size_t pick(Random& r, int64_t lo, int64_t hi) { return static_cast<size_t>(r.integer(lo, hi)); }

// Bytes at the end of a page.
template <class T>
struct Guarded {
  GuardedBytes memory;
  explicit Guarded(const std::vector<T>& values) : memory(values.size() * sizeof(T)) {
    if (!values.empty()) std::memcpy(memory.data(), values.data(), memory.size());
  }
  const T* data() const { return memory.as<T>(); }
};

std::vector<uint8_t> codes(Random& r, size_t n) {
  return r.integers<uint8_t>(static_cast<int64_t>(n), 0, 255);
}
std::vector<float> floats(Random& r, size_t n) {
  const float kRanges[] = {1e-3f, 0.5f, 20.0f, 1e5f};
  const float range = kRanges[r.integer(0, 3)];
  return r.reals(static_cast<int64_t>(n), -range, range);
}

// run(kernel) of every kernel against that of the last, the scalar one.
template <class Kernels, class Run>
void compare(const Kernels& all, const char* family, size_t n, const Run& run) {
  static const Cpu cpu = detect_cpu();
  const auto at = [&](size_t i) -> const auto& {
    if constexpr (std::is_pointer_v<std::remove_cvref_t<decltype(all.data[0])>>)
      return *all.data[i];
    else
      return all.data[i];
  };
  const std::vector<uint8_t> expected = run(at(all.count - 1));
  for (size_t i = 0; i + 1 < all.count; ++i) {
    if (!cpu.has(at(i).needs) || run(at(i)) == expected) continue;
    std::fprintf(stderr, "%s %s differs from the reference for %zu elements\n", family, at(i).name, n);
    std::abort();
  }
}

std::vector<uint8_t> bytes_of(const GuardedBytes& y) { return {y.data(), y.data() + y.size()}; }

void tables(Random& r) {
  const size_t n = pick(r, 1, 700);
  const Guarded<uint8_t> x(codes(r, n)), table(codes(r, 256));
  compare(code_table_kernels(), "code_table", n, [&](const CodeTableKernel& k) {
    const GuardedBytes y(n);
    k.fn(x.data(), y.data(), n, table.data());
    return bytes_of(y);
  });
}

void runs(Random& r) {
  const size_t n = pick(r, 1, 500), a_step = pick(r, 0, 1), b_step = a_step == 0 ? 1 : pick(r, 0, 1);
  const Guarded<uint8_t> a(codes(r, a_step == 0 ? 1 : n)), b(codes(r, b_step == 0 ? 1 : n));
  CodeArithmetic c{};
  c.operation = static_cast<CodeOperation>(r.integer(0, 2));
  c.is_signed = r.integer(0, 1) != 0;
  const int32_t low = c.is_signed ? -128 : 0;
  for (CodeGrid* g : {&c.a_grid, &c.b_grid, &c.y_grid})
    *g = {r.real(0.002f, 0.3f), static_cast<int32_t>(r.integer(low, low + 255))};
  c.lo = static_cast<int32_t>(r.integer(low, low + 127)),
  c.hi = static_cast<int32_t>(r.integer(low + 128, low + 255));
  if (!make_code_factors(&c)) return;
  const float product = c.a_grid.scale * c.b_grid.scale / c.y_grid.scale;
  compare(code_run_kernels(), "code_run", n, [&](const CodeRunKernel& k) {
    const GuardedBytes y(n);
    k.fn(c, {a.data(), b.data(), a_step, b_step, y.data(), n, product});
    return bytes_of(y);
  });
}

void pools(Random& r) {
  const size_t n = pick(r, 1, 200), count = pick(r, 1, 60);
  std::deque<Guarded<uint8_t>> memory;
  std::vector<const uint8_t*> rows;
  for (size_t i = 0; i < count; ++i) rows.push_back(memory.emplace_back(codes(r, n)).data());
  const CodeRows x{rows.data(), count, n, r.integer(0, 1) != 0};
  compare(code_rows_kernels(), "code_rows", n, [&](const CodeRowsKernel& k) {
    const GuardedBytes most(n), sums(4 * n);
    k.max(x, most.data());
    k.sum(x, sums.as<int32_t>());
    std::vector<uint8_t> both = bytes_of(most);
    both.insert(both.end(), sums.data(), sums.data() + sums.size());
    return both;
  });
}

void quantizers(Random& r) {
  const size_t n = pick(r, 1, 300);
  std::vector<float> values = floats(r, n);
  for (int odd = 0; odd < 3; ++odd) {
    const float kOdd[] = {NAN, INFINITY, -INFINITY, 3e38f, -0.0f, 1e-45f};
    values[pick(r, 0, static_cast<int64_t>(n) - 1)] = kOdd[r.integer(0, 5)];
  }
  const Guarded<float> x(values);
  const int32_t lo = r.integer(0, 1) != 0 ? -128 : 0;
  const FloatGrid grid{r.real(1e-3f, 2.0f), static_cast<int32_t>(r.integer(lo, lo + 255)), lo};
  compare(codes_of_floats_kernels(), "codes_of_floats", n, [&](const CodesOfFloatsKernel& k) {
    const GuardedBytes y(n);
    k.fn(x.data(), y.data(), n, grid);
    return bytes_of(y);
  });
}

void blends(Random& r) {
  const size_t n = pick(r, 1, 200);
  const Guarded<uint8_t> a(codes(r, n)), b(codes(r, n));
  const Guarded<float> x(floats(r, n)), z(floats(r, n));
  const BlendWeights w{r.real(0, 1.2f), r.real(0, 1.2f)};
  const bool is_signed = r.integer(0, 1) != 0;
  compare(blend_codes_kernels(), "blend_codes", n, [&](const BlendCodesKernel& k) {
    const GuardedBytes line(4 * n), y(n);
    k.to_floats(a.data(), b.data(), w, line.as<float>(), n, is_signed);
    k.to_codes(x.data(), z.data(), w, y.data(), n, is_signed);
    std::vector<uint8_t> both = bytes_of(line);
    both.insert(both.end(), y.data(), y.data() + n);
    return both;
  });
}

void float_rows(Random& r) {
  const size_t n = pick(r, 1, 300), rows = pick(r, 1, 5);
  const Guarded<float> x(floats(r, n * rows)), up(floats(r, n * rows)), scale(floats(r, n)),
      bias(floats(r, n));
  compare(float_rows_kernels(), "float_rows", n, [&](const FloatRowsKernel& k) {
    const GuardedBytes y(4 * n * rows);
    std::vector<uint8_t> all;
    const auto keep = [&] {
#if defined(__arm__)  // NEON of ARMv7 makes zeros of what is below the normal numbers
      for (float* v = y.as<float>(); v != y.as<float>() + n * rows; ++v)
        if (std::fabs(*v) < 0x1p-126f) *v = 0;
#endif
      all.insert(all.end(), y.data(), y.data() + y.size());
    };
    LayerNormArgs a{};
    a.x = x.data(), a.scale = scale.data(), a.bias = bias.data(), a.y = y.as<float>();
    a.n = n, a.epsilon = 1e-5f, a.scale_step = a.bias_step = 1;
    k.layer_norm(a, {0, rows}), keep();
    k.rms_norm(a, {0, rows}), keep();
    k.softmax({x.data(), y.as<float>(), n}, {0, rows}), keep();
    k.swiglu(x.data(), up.data(), y.as<float>(), n * rows), keep();
    return all;
  });
}

}  // namespace
}  // namespace pith

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pith;
  std::seed_seq seed(data, data + (size < 256 ? size : 256));
  std::mt19937_64 rng(seed);
  Random random(rng());
  constexpr void (*kFamilies[])(Random&) = {tables, runs, pools, quantizers, blends, float_rows};
  kFamilies[random.integer(0, 5)](random);
  return 0;
}
