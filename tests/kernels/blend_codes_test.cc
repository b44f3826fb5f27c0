// Every blend of the list against the plain one, bit for bit, beside guard pages.
#include "kernels/resize/blend_codes.h"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "tests/support/guarded_bytes.h"
#include "tests/support/random_values.h"

namespace pith::kernels {
namespace {

template <class T>
struct Guarded {
  test::GuardedBytes memory;
  explicit Guarded(const std::vector<T>& v) : memory(v.size() * sizeof(T)) {
    std::memcpy(memory.data(), v.data(), memory.size());
  }
  const T* data() const { return memory.as<T>(); }
};

size_t differing(const test::GuardedBytes& a, const test::GuardedBytes& b) {
  size_t wrong = 0;
  for (size_t i = 0; i < a.size(); ++i) wrong += a.data()[i] != b.data()[i] ? 1 : 0;
  return wrong;
}

}  // namespace

TEST_CASE("blends of rows of codes are those of plain loops, for every length and sign, and saturate") {
  test::Random random(51);
  const BlendCodesKernels all = blend_codes_kernels();
  const BlendCodesKernel& plain = all.data[all.count - 1];
  for (size_t n : {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100, 255})
    for (const bool is_signed : {true, false})
      for (const BlendWeights w : {BlendWeights{1, 0}, {0.25f, 0.75f}, {0.3f, 0.7f}, {1.5f, 0.9f}}) {
        const auto count = static_cast<int64_t>(n);
        const Guarded<uint8_t> a(random.integers<uint8_t>(count, 0, 255)),
            b(random.integers<uint8_t>(count, 0, 255));
        auto floats = random.reals(count, -300, 300);
        for (size_t i = 0; i < n; i += 3)
          floats[i] = static_cast<float>(random.integer(-140, 270)) + 0.5f;  // ties
        const Guarded<float> x(floats), z(random.reals(count, -300, 300));
        const test::GuardedBytes line(4 * n), codes(n);
        plain.to_floats(a.data(), b.data(), w, line.as<float>(), n, is_signed);
        plain.to_codes(x.data(), z.data(), w, codes.data(), n, is_signed);
        for (size_t k = 0; k + 1 < all.count; ++k) {
          if (!detect_cpu().has(all.data[k].needs)) continue;
          CAPTURE(all.data[k].name);
          CAPTURE(n);
          const test::GuardedBytes y(4 * n), c(n);
          all.data[k].to_floats(a.data(), b.data(), w, y.as<float>(), n, is_signed);
          all.data[k].to_codes(x.data(), z.data(), w, c.data(), n, is_signed);
          CHECK(differing(y, line) == 0);
          CHECK(differing(c, codes) == 0);
        }
      }
}

}  // namespace pith::kernels
