// Integer sums and products of codes against the real numbers they stand for.
#include "kernels/elementwise/code_arithmetic.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/elementwise/code_runs.h"
#include "tests/support/guarded_bytes.h"
#include "tests/support/random_values.h"

namespace pith::kernels {
namespace {

double exact(const CodeArithmetic& c, int a, int b) {
  const double x = static_cast<double>(c.a_grid.scale) * (a - c.a_grid.zero);
  const double y = static_cast<double>(c.b_grid.scale) * (b - c.b_grid.zero);
  const double real = c.operation == CodeOperation::sum          ? x + y
                      : c.operation == CodeOperation::difference ? x - y
                                                                 : x * y;
  const double code = real / static_cast<double>(c.y_grid.scale) + c.y_grid.zero;
  return std::fmin(std::fmax(code, c.lo), c.hi);
}

template <class T>
void check_all_codes(CodeArithmetic c) {
  const int lo = std::is_signed_v<T> ? -128 : 0;
  c.is_signed = std::is_signed_v<T>;
  c.lo = lo, c.hi = lo + 255;
  REQUIRE(make_code_factors(&c));
  std::vector<T> a, b;
  for (int i = 0; i < 256; ++i)
    for (int k = 0; k < 256; ++k) {
      a.push_back(static_cast<T>(lo + i));
      b.push_back(static_cast<T>(lo + k));
    }
  std::vector<T> y(a.size());
  const int64_t count = static_cast<int64_t>(a.size());
  const std::span<const int64_t> operands[] = {{&count, 1}, {&count, 1}};
  c.shape = make_broadcast({&count, 1}, operands);
  c.a = a.data(), c.b = b.data(), c.y = y.data();
  code_arithmetic_ref(c, {0, a.size()});
  double worst = 0;
  for (size_t i = 0; i < y.size(); ++i) worst = std::fmax(worst, std::fabs(y[i] - exact(c, a[i], b[i])));
  CHECK(worst <= 0.5 + 0x1p-11);  // half a step for rounding, and the bound of the header
}

}  // namespace

TEST_CASE("sums, differences and products of all pairs of codes are rounded to the nearest code") {
  CodeArithmetic c{};
  for (CodeOperation operation : {CodeOperation::sum, CodeOperation::difference, CodeOperation::product}) {
    c.operation = operation;
    c.a_grid = {0.031f, 5}, c.b_grid = {0.017f, 100}, c.y_grid = {0.043f, 17};
    check_all_codes<int8_t>(c);
    check_all_codes<uint8_t>(c);
    c.a_grid = {0.9f, 0}, c.b_grid = {0.011f, 127}, c.y_grid = {0.7f, 1};
    check_all_codes<int8_t>(c);
    check_all_codes<uint8_t>(c);
  }
}

TEST_CASE("the largest and smallest ratio of scales do not overflow") {
  CodeArithmetic c{};
  c.operation = CodeOperation::difference;
  c.y_grid = {1, 0};
  c.a_grid = {255.9f, -128}, c.b_grid = {255.9f, 127};
  check_all_codes<int8_t>(c);
  c.a_grid = {0x1p-10f, 255}, c.b_grid = {0x1p-10f, 0};
  check_all_codes<uint8_t>(c);
  c.b_grid.scale = 0x1p-11f;
  CHECK_FALSE(make_code_factors(&c));
  c.b_grid.scale = 256;
  CHECK_FALSE(make_code_factors(&c));
}

namespace {

// One random case for every kernel against the reference; next to guard pages, in two pieces, and in place.
void check_random_case(test::Random& random, const CodeRunKernel& kernel) {
  CodeArithmetic c{};
  c.operation = static_cast<CodeOperation>(random.integer(0, 2));
  c.is_signed = random.integer(0, 1) == 0;
  const int lo = c.is_signed ? -128 : 0;
  const auto grid = [&] {
    const auto zero = static_cast<int32_t>(random.integer(lo, lo + 255));
    return CodeGrid{std::exp2(random.real(-6, 6)), zero};
  };
  c.a_grid = grid(), c.b_grid = grid(), c.y_grid = grid();
  c.lo = static_cast<int32_t>(random.integer(lo, lo + 255));
  c.hi = static_cast<int32_t>(random.integer(c.lo, lo + 255));
  if (!make_code_factors(&c)) return;
  const int64_t rows = random.integer(1, 4), columns = random.integer(1, 140);
  const int64_t kinds[][2] = {{rows, columns}, {1, columns}, {rows, 1}, {1, 1}};
  const auto *a_dims = kinds[random.integer(0, 3)], *b_dims = kinds[0];
  if (random.integer(0, 1) == 0) std::swap(a_dims, b_dims);
  const std::span<const int64_t> operands[] = {{a_dims, 2}, {b_dims, 2}};
  c.shape = make_broadcast({kinds[0], 2}, operands);
  const auto n = static_cast<size_t>(rows * columns);
  const test::GuardedBytes a(static_cast<size_t>(a_dims[0] * a_dims[1])),
      b(static_cast<size_t>(b_dims[0] * b_dims[1]));
  for (const auto* codes : {&a, &b})
    for (size_t i = 0; i < codes->size(); ++i)
      codes->data()[i] =
          static_cast<uint8_t>(random.integer(0, 3) == 0 ? 0x7f + random.integer(0, 1) : random.next());
  const test::GuardedBytes expected(n), y(n);
  c.a = a.data(), c.b = b.data(), c.y = expected.data();
  code_arithmetic_ref(c, {0, n});
  c.y = y.data();
  const auto cut = static_cast<size_t>(random.integer(0, rows * columns));
  code_arithmetic(c, kernel, {0, cut});
  code_arithmetic(c, kernel, {cut, n});
  REQUIRE(std::memcmp(y.data(), expected.data(), n) == 0);
  const test::GuardedBytes& full = a.size() == n ? a : b;
  c.y = full.data();
  code_arithmetic(c, kernel, {0, n});
  REQUIRE(std::memcmp(full.data(), expected.data(), n) == 0);
}

}  // namespace

TEST_CASE("vector kernels for sums and products of codes give the bytes of the reference") {
  const CodeRunKernels all = code_run_kernels();
  for (size_t i = 0; i < all.count; ++i) {
    if (!detect_cpu().has(all.data[i].needs)) continue;
    CAPTURE(all.data[i].name);
    test::Random random(3);
    for (int round = 0; round < 2000; ++round) {
      CAPTURE(round);
      check_random_case(random, all.data[i]);
    }
  }
}

}  // namespace pith::kernels
