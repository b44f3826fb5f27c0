// Largest and sum of rows of codes: every kernel against the plain loops, next to guard pages.
#include "kernels/pool/code_rows.h"

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "tests/support/guarded_bytes.h"
#include "tests/support/random_values.h"

namespace pith::kernels {
namespace {

void check_rows(const CodeRowsKernel& kernel, size_t count, size_t n, bool is_signed, test::Random& random) {
  CAPTURE(kernel.name);
  CAPTURE(count);
  CAPTURE(n);
  std::vector<std::unique_ptr<test::GuardedBytes>> memory;
  std::vector<const uint8_t*> rows;
  const int extreme = static_cast<int>(random.integer(0, 3));
  for (size_t r = 0; r < count; ++r) {
    memory.push_back(std::make_unique<test::GuardedBytes>(n));
    for (size_t i = 0; i < n; ++i)
      memory.back()->data()[i] = extreme == 0   ? 0x80
                                 : extreme == 1 ? 0x7f
                                                : static_cast<uint8_t>(random.next());
    rows.push_back(memory.back()->data());
  }
  const CodeRows x{rows.data(), count, n, is_signed};
  const test::GuardedBytes y(n), sums(n * sizeof(int32_t));
  std::vector<uint8_t> most(n);
  std::vector<int32_t> all(n);
  max_of_rows_ref(x, most.data());
  sum_of_rows_ref(x, all.data());
  for (size_t i = 0; i < n; ++i) {
    int best = -1000, sum = 0;
    for (const uint8_t* row : rows) {
      const int code = is_signed ? static_cast<int8_t>(row[i]) : row[i];
      best = std::max(best, code), sum += code;
    }
    REQUIRE((is_signed ? static_cast<int8_t>(most[i]) : most[i]) == best);
    REQUIRE(all[i] == sum);
  }
  kernel.max(x, y.data());
  kernel.sum(x, sums.as<int32_t>());
  CHECK(std::memcmp(y.data(), most.data(), n) == 0);
  CHECK(std::memcmp(sums.data(), all.data(), n * sizeof(int32_t)) == 0);
}

}  // namespace

TEST_CASE("largest and sum of rows of codes are the plain loops' for every length and number of rows") {
  const CodeRowsKernels all = code_rows_kernels();
  for (size_t k = 0; k < all.count; ++k) {
    if (!detect_cpu().has(all.data[k].needs)) continue;
    test::Random random(4);
    for (size_t count : {1, 2, 9, 49, 127, 128, 129, 300})
      for (size_t n : {1, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 130})
        for (bool is_signed : {true, false}) check_rows(all.data[k], count, n, is_signed, random);
  }
}

}  // namespace pith::kernels
