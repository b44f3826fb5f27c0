// Softmax: every axis against a plain double reference, large numbers, hardmax ties, quantized codes,
// refusals.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"

namespace pith {
namespace {

schema::SoftmaxOptionsT options(schema::SoftmaxKind kind, int axis) {
  schema::SoftmaxOptionsT o;
  o.kind = kind;
  o.axis = axis;
  return o;
}
using Kind = schema::SoftmaxKind;

std::vector<float> ramp(size_t n) {
  std::vector<float> x(n);
  for (size_t i = 0; i < n; ++i) x[i] = static_cast<float>(i * 37 % 101) * 0.13f - 6;
  return x;
}

}  // namespace

TEST_CASE("softmax and log_softmax agree with the definition along every axis") {
  const int64_t dims[] = {3, 5, 70};
  const auto x = ramp(3 * 5 * 70);
  for (int axis = 0; axis < 3; ++axis) {
    const int64_t n = dims[axis], inner = axis == 0 ? 350 : axis == 1 ? 70 : 1;
    OpRunSettings two;
    two.threads = 2;
    OpResult soft = run_op(options(Kind::softmax, axis - 3), {tensor<float>({3, 5, 70}, x)}, two);
    OpResult log = run_op(options(Kind::log_softmax, axis), {tensor<float>({3, 5, 70}, x)}, two);
    REQUIRE(soft.status.is_ok());
    const auto s = soft.out[0].values<float>(), l = log.out[0].values<float>();
    for (int64_t i = 0; i < 1050; ++i) {
      const int64_t base = i - i / inner % n * inner;
      double sum = 0;
      for (int64_t k = 0; k < n; ++k)
        sum += std::exp(static_cast<double>(x[static_cast<size_t>(base + k * inner)]));
      const auto at = static_cast<size_t>(i);
      const double exact = std::exp(static_cast<double>(x[at])) / sum;
      CHECK(s[at] == doctest::Approx(exact).epsilon(2e-6));  // 2^-24 (4 + |x - m| <= 13)
      CHECK(l[at] == doctest::Approx(std::log(exact)).epsilon(2e-6));
    }
    CHECK_FALSE(soft.overrun);
  }
}

TEST_CASE("softmax does not overflow") {
  OpResult r = run_op(options(Kind::softmax, -1), {tensor<float>({2, 2}, {1e30f, 1e30f, -1e30f, 0})});
  CHECK(r.out[0].values<float>() == std::vector<float>{0.5f, 0.5f, 0, 1});
}

TEST_CASE("hardmax marks the first maximum") {
  OpResult r = run_op(options(Kind::hardmax, 1), {tensor<float>({2, 3}, {1, 3, 3, 2, 1, 0})});
  CHECK(r.out[0].values<float>() == std::vector<float>{0, 1, 0, 1, 0, 0});
}

TEST_CASE("softmax of codes is the softmax of the real numbers, rounded to the output's grid") {
  std::vector<int8_t> codes;
  for (int i = 0; i < 60; ++i) codes.push_back(static_cast<int8_t>(i * 91 % 256 - 128));
  for (int axis : {0, 1}) {
    OpRunSettings settings;
    settings.declared = {tensor<int8_t>({1}, {}).quantized(1.0f / 256, -128)};
    OpResult r =
        run_op(options(Kind::softmax, axis), {tensor<int8_t>({6, 10}, codes).quantized(0.02f, 5)}, settings);
    REQUIRE(r.status.message() == "");
    CHECK(r.kernel == "softmax_codes");
    std::vector<float> real;
    for (int8_t c : codes) real.push_back(0.02f * static_cast<float>(c - 5));
    const auto exact =
        run_op(options(Kind::softmax, axis), {tensor<float>({6, 10}, real)}).out[0].values<float>();
    const auto y = r.out[0].values<int8_t>();
    for (size_t i = 0; i < y.size(); ++i)
      CHECK(std::fabs(static_cast<float>(y[i] + 128) / 256 - exact[i]) <= 0.5f / 256 + 1e-6f);
  }
}

TEST_CASE("softmax refuses a wrong axis, integers and quantized hardmax") {
  CHECK(run_op(options(Kind::softmax, 2), {tensor<float>({2, 2}, {1, 2, 3, 4})}).status.code() ==
        Code::bad_file);
  CHECK(run_op(options(Kind::softmax, 0), {tensor<int32_t>({1}, {1})}).status.code() == Code::unsupported);
  OpRunSettings settings;
  settings.declared = {tensor<int8_t>({1}, {}).quantized(1, 0)};
  CHECK(
      run_op(options(Kind::hardmax, 0), {tensor<int8_t>({1}, {1}).quantized(1, 0)}, settings).status.code() ==
      Code::unsupported);
}

}  // namespace pith
