// Every table lookup and every quantizer of the lists against plain loops, bit for bit.
#include "kernels/lookup/code_table.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/base/requant.h"
#include "kernels/quantize/codes_of_floats.h"
#include "tests/support/guarded_bytes.h"
#include "tests/support/random_values.h"

namespace pith::kernels {
namespace {

constexpr size_t kLengths[] = {1, 15, 31, 32, 33, 63, 64, 65, 127, 128, 129, 160, 255, 1000};

}  // namespace

TEST_CASE("table lookups give the entry of every code, also in place") {
  test::Random random(1);
  const auto table = random.integers<uint8_t>(256, 0, 255);
  const CodeTableKernels all = code_table_kernels();
  for (size_t k = 0; k < all.count; ++k) {
    if (!detect_cpu().has(all.data[k].needs)) continue;
    CAPTURE(all.data[k].name);
    for (size_t n : kLengths) {
      const test::GuardedBytes x(n), y(n);
      for (size_t i = 0; i < n; ++i) x.data()[i] = static_cast<uint8_t>(i * 37 + n);
      all.data[k].fn(x.data(), y.data(), n, table.data());
      size_t wrong = 0;
      for (size_t i = 0; i < n; ++i) wrong += y.data()[i] != table[x.data()[i]] ? 1 : 0;
      all.data[k].fn(x.data(), x.data(), n, table.data());
      for (size_t i = 0; i < n; ++i) wrong += y.data()[i] != x.data()[i] ? 1 : 0;
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("codes of floats are rounded, held and saturated as the definition says") {
  test::Random random(2);
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const float odd[] = {0,     -0.0f, NAN,   kInf,   -kInf,  1e30f,  -1e30f,
                       0.05f, 0.15f, 0.25f, -0.35f, 12.75f, -12.85f};
  const CodesOfFloatsKernels all = codes_of_floats_kernels();
  for (size_t k = 0; k < all.count; ++k) {
    if (!detect_cpu().has(all.data[k].needs)) continue;
    CAPTURE(all.data[k].name);
    for (const FloatGrid& grid :
         {FloatGrid{0.1f, 3, -128}, FloatGrid{0.1f, -128, -128}, FloatGrid{0.05f, 255, 0},
          FloatGrid{0.3f, 0, 0}, FloatGrid{1e-38f, 127, -128}})
      for (size_t n : kLengths) {
        const test::GuardedBytes memory(4 * n), y(n);
        auto* x = memory.as<float>();
        const auto values = random.reals(static_cast<int64_t>(n), -20, 20);
        for (size_t i = 0; i < n; ++i) x[i] = i % 3 == 0 ? odd[(i / 3) % std::size(odd)] : values[i];
        all.data[k].fn(x, y.data(), n, grid);
        size_t wrong = 0;
        for (size_t i = 0; i < n; ++i)
          wrong += y.data()[i] !=
                           static_cast<uint8_t>(quantize(x[i], grid.scale, grid.zero, grid.lo, grid.lo + 255))
                       ? 1
                       : 0;
        CHECK(wrong == 0);
      }
  }
}

}  // namespace pith::kernels
