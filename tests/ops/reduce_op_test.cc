// Reduce: every kind over every set of axes against a plain double reference; integers, empty sets, refusals.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"

namespace pith {
namespace {

using Kind = schema::ReduceKind;

schema::ReduceOptionsT options(Kind kind, bool keepdims = true, bool noop = false) {
  schema::ReduceOptionsT o;
  o.kind = kind;
  o.keepdims = keepdims;
  o.noop_with_empty_axes = noop;
  return o;
}

double reference(Kind kind, const std::vector<double>& v) {
  double sum = 0, abs = 0, square = 0, prod = 1, exps = 0, low = INFINITY, high = -INFINITY;
  for (double x : v) {
    sum += x, abs += std::fabs(x), square += x * x, prod *= x, exps += std::exp(x);
    low = std::min(low, x), high = std::max(high, x);
  }
  const double results[] = {sum,
                            sum / static_cast<double>(v.size()),
                            high,
                            low,
                            prod,
                            abs,
                            std::sqrt(square),
                            std::log(sum),
                            std::log(exps),
                            square};
  return results[static_cast<int>(kind)];
}

}  // namespace

TEST_CASE("reduce agrees with the definition for every kind and every set of axes") {
  const int64_t dims[] = {2, 3, 4, 300};
  std::vector<float> x(2 * 3 * 4 * 300);
  for (size_t i = 0; i < x.size(); ++i) x[i] = 1 + static_cast<float>(i * 31 % 64) / 512;
  for (int kind = 0; kind <= static_cast<int>(Kind::MAX); ++kind)
    for (uint32_t mask = 1; mask < 16; ++mask) {
      CAPTURE(kind);
      CAPTURE(mask);
      std::vector<int64_t> axes;
      for (int64_t d = 0; d < 4; ++d)
        if (mask >> d & 1) axes.push_back(d - (d % 2 ? 4 : 0));
      OpRunSettings two;
      two.threads = 2;
      OpResult r = run_op(
          options(static_cast<Kind>(kind)),
          {tensor<float>({2, 3, 4, 300}, x), tensor<int64_t>({static_cast<int64_t>(axes.size())}, axes)},
          two);
      REQUIRE(r.status.message() == "");
      CHECK_FALSE(r.overrun);
      std::vector<std::vector<double>> sets(r.out[0].bytes.size() / 4);
      for (size_t i = 0; i < x.size(); ++i) {
        size_t rest = i, at = 0, stride = 1;
        for (int d = 3; d >= 0; --d) {
          const size_t index = rest % static_cast<size_t>(dims[d]);
          rest /= static_cast<size_t>(dims[d]);
          if (mask >> d & 1) continue;
          at += index * stride;
          stride *= static_cast<size_t>(dims[d]);
        }
        sets[at].push_back(static_cast<double>(x[i]));
      }
      const auto y = r.out[0].values<float>();
      for (size_t i = 0; i < y.size(); ++i) {
        const double exact = reference(static_cast<Kind>(kind), sets[i]);
        if (std::fabs(exact) > 3e38)
          CHECK(std::isinf(y[i]));
        else
          CHECK(y[i] == doctest::Approx(exact).epsilon(2e-7));  // one rounding from double
      }
    }
}

TEST_CASE("reduce without axes reduces everything, or every element alone when told so") {
  const TestTensor x = tensor<float>({2, 2}, {1, -2, 3, -4});
  OpResult all = run_op(options(Kind::sum, false), {x});
  CHECK(all.out[0].shape == Shape{});
  CHECK(all.out[0].values<float>() == std::vector<float>{-2});
  OpResult alone = run_op(options(Kind::l1, true, true), {x, tensor<int64_t>({0}, {})});
  CHECK(alone.out[0].values<float>() == std::vector<float>{1, 2, 3, 4});
}

TEST_CASE("reduce over an empty set gives the neutral element") {
  auto over = [](Kind kind) {
    OpResult r = run_op(options(kind), {tensor<float>({2, 0, 3}, {}), tensor<int64_t>({1}, {1})});
    CHECK(r.out[0].shape == Shape{2, 1, 3});
    return r.out[0].values<float>()[5];
  };
  CHECK(over(Kind::sum) == 0);
  CHECK(over(Kind::prod) == 1);
  CHECK(over(Kind::max) == -INFINITY);
  CHECK(over(Kind::min) == INFINITY);
  CHECK(over(Kind::log_sum_exp) == -INFINITY);
  OpResult none = run_op(options(Kind::sum), {tensor<float>({2, 0, 3}, {}), tensor<int64_t>({1}, {2})});
  CHECK(none.out[0].shape == Shape{2, 0, 1});
}

TEST_CASE("reduce keeps integers exact, and takes extremes of bool") {
  const TestTensor x = tensor<int64_t>({2, 2}, {INT64_MAX, INT64_MAX - 1, 3, 4});
  OpResult r = run_op(options(Kind::max), {x, tensor<int64_t>({1}, {1})});
  CHECK(r.out[0].values<int64_t>() == std::vector<int64_t>{INT64_MAX, 4});
  OpResult m = run_op(options(Kind::mean), {tensor<int32_t>({4}, {1, 2, 3, 5})});
  CHECK(m.out[0].values<int32_t>() == std::vector<int32_t>{2});
  OpResult b = run_op(options(Kind::min), {tensor<uint8_t>({2}, {1, 0}, DType::boolean)});
  CHECK(b.out[0].values<uint8_t>() == std::vector<uint8_t>{0});
  CHECK(run_op(options(Kind::sum), {tensor<uint8_t>({1}, {1}, DType::boolean)}).status.code() ==
        Code::unsupported);
  CHECK(run_op(options(Kind::sum), {x, tensor<int64_t>({1}, {2})}).status.code() == Code::bad_file);
}

TEST_CASE("reduce of codes is the reduction of the real numbers, rounded to the output's grid") {
  OpRunSettings settings;
  settings.declared = {tensor<int8_t>({1}, {}).quantized(0.25f, 10)};
  const TestTensor x = tensor<int8_t>({2, 3}, {-128, 0, 5, 127, 126, 127}).quantized(0.5f, -3);
  const TestTensor axis = tensor<int64_t>({1}, {1});
  auto over = [&](Kind kind, const TestTensor& axes) {
    OpResult r = run_op(options(kind), {x, axes}, settings);
    CHECK(r.status.message() == "");
    return r.out[0].values<int8_t>();
  };
  CHECK(over(Kind::mean, axis) ==
        std::vector<int8_t>{-66, 127});  // 0.5 (-41 + 3) = -19 -> -76 + 10; saturates
  CHECK(over(Kind::max, axis) == std::vector<int8_t>{26, 127});
  CHECK(over(Kind::min, tensor<int64_t>({1}, {0})) == std::vector<int8_t>{-128, 16, 26});
  CHECK(run_op(options(Kind::prod), {x, axis}, settings).status.code() == Code::unsupported);
}

TEST_CASE("reduce max gives NaN where one element is NaN") {
  OpResult r = run_op(options(Kind::max), {tensor<float>({2, 2}, {NAN, 1, 1, 2}), tensor<int64_t>({1}, {1})});
  CHECK(std::isnan(r.out[0].values<float>()[0]));
  CHECK(r.out[0].values<float>()[1] == 2);
}

}  // namespace pith
