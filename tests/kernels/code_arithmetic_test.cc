// Integer sums and products of codes against the real numbers they stand for.
#include "kernels/elementwise/code_arithmetic.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

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

}  // namespace pith::kernels
