// Binary: broadcasting, every kind on integers, mixed types of pow, clamps, quantized arithmetic, refusals.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"

namespace pith {
namespace {

using Kind = schema::BinaryKind;

schema::BinaryOptionsT binary(Kind kind) {
  schema::BinaryOptionsT o;
  o.kind = kind;
  return o;
}
template <class T>
std::vector<T> ints(Kind kind, std::vector<T> a, std::vector<T> b) {
  const auto n = static_cast<int64_t>(a.size());
  OpResult r = run_op(binary(kind), {tensor<T>({n}, a), tensor<T>({n}, b)});
  CHECK(r.status.message() == "");
  return r.out.empty() ? std::vector<T>{} : r.out[0].values<T>();
}

}  // namespace

TEST_CASE("binary broadcasts in every direction, also over threads") {
  OpResult row =
      run_op(binary(Kind::sub), {tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6}), tensor<float>({3}, {1, 0, 1})});
  CHECK(row.out[0].values<float>() == std::vector<float>{0, 2, 2, 3, 5, 5});
  OpResult outer =
      run_op(binary(Kind::mul), {tensor<float>({2, 1}, {2, 3}), tensor<float>({1, 3}, {1, 10, 100})});
  CHECK(outer.out[0].shape == Shape{2, 3});
  CHECK(outer.out[0].values<float>() == std::vector<float>{2, 20, 200, 3, 30, 300});
  std::vector<int16_t> big(70000);
  for (size_t i = 0; i < big.size(); ++i) big[i] = static_cast<int16_t>(i);
  OpRunSettings two;
  two.threads = 2;
  OpResult r = run_op(binary(Kind::add), {tensor<int16_t>({70000}, big), tensor<int16_t>({}, {1})}, two);
  const auto y = r.out[0].values<int16_t>();
  for (size_t i = 0; i < big.size(); ++i) CHECK(y[i] == static_cast<int16_t>(big[i] + 1));
  CHECK_FALSE(r.overrun);
}

TEST_CASE("binary integers wrap, truncate and never divide by zero") {
  CHECK(ints<int8_t>(Kind::add, {127, -128}, {1, -1}) == std::vector<int8_t>{-128, 127});
  CHECK(ints<uint64_t>(Kind::sub, {0}, {1}) == std::vector<uint64_t>{UINT64_MAX});
  CHECK(ints<int32_t>(Kind::div, {-7, 7, 1, INT32_MIN}, {2, -2, 0, -1}) ==
        std::vector<int32_t>{-3, -3, 0, INT32_MIN});
  CHECK(ints<int64_t>(Kind::div, {INT64_MIN}, {-1}) == std::vector<int64_t>{INT64_MIN});
  CHECK(ints<int64_t>(Kind::mod, {-7, 7, 5}, {3, -3, 0}) == std::vector<int64_t>{2, -2, 0});
  CHECK(ints<int64_t>(Kind::fmod, {-7, 7, 5}, {3, -3, 0}) == std::vector<int64_t>{-1, 1, 0});
  CHECK(ints<uint64_t>(Kind::max, {UINT64_MAX}, {1}) == std::vector<uint64_t>{UINT64_MAX});
  CHECK(ints<uint8_t>(Kind::shift_left, {255, 1}, {1, 200}) == std::vector<uint8_t>{254, 0});
  CHECK(ints<uint32_t>(Kind::shift_right, {0x80000000u}, {31}) == std::vector<uint32_t>{1});
  CHECK(ints<int32_t>(Kind::bitwise_xor, {6}, {3}) == std::vector<int32_t>{5});
  CHECK(ints<int32_t>(Kind::pow, {3, 2, -1}, {4, -1, -3}) == std::vector<int32_t>{81, 0, -1});
}

TEST_CASE("binary comparisons and logic give bool") {
  OpResult r = run_op(binary(Kind::less), {tensor<float>({3}, {1, 2, NAN}), tensor<float>({1}, {2})});
  CHECK(r.out[0].dtype == DType::boolean);
  CHECK(r.out[0].values<uint8_t>() == std::vector<uint8_t>{1, 0, 0});
  OpResult u =
      run_op(binary(Kind::greater), {tensor<uint64_t>({1}, {UINT64_MAX}), tensor<uint64_t>({1}, {1})});
  CHECK(u.out[0].values<uint8_t>() == std::vector<uint8_t>{1});
  const TestTensor p = tensor<uint8_t>({4}, {0, 0, 1, 1}, DType::boolean);
  const TestTensor q = tensor<uint8_t>({4}, {0, 1, 0, 1}, DType::boolean);
  CHECK(run_op(binary(Kind::logical_xor), {p, q}).out[0].values<uint8_t>() ==
        std::vector<uint8_t>{0, 1, 1, 0});
  CHECK(run_op(binary(Kind::equal), {p, q}).out[0].values<uint8_t>() == std::vector<uint8_t>{1, 0, 0, 1});
}

TEST_CASE("binary pow keeps the type of the base") {
  OpResult f = run_op(binary(Kind::pow), {tensor<float>({2}, {2, 3}), tensor<int64_t>({2}, {3, 2})});
  CHECK(f.out[0].values<float>() == std::vector<float>{8, 9});
  OpResult i = run_op(binary(Kind::pow), {tensor<int64_t>({2}, {2, 4}), tensor<float>({2}, {3, 0.5f})});
  CHECK(i.out[0].values<int64_t>() == std::vector<int64_t>{8, 2});
}

TEST_CASE("binary min and max give NaN when one operand is NaN") {
  for (Kind kind : {Kind::min, Kind::max}) {
    OpResult r = run_op(binary(kind), {tensor<float>({2}, {NAN, 1}), tensor<float>({2}, {1, NAN})});
    CHECK(std::isnan(r.out[0].values<float>()[0]));
    CHECK(std::isnan(r.out[0].values<float>()[1]));
  }
}

TEST_CASE("binary clamps float results and refuses to clamp others") {
  schema::BinaryOptionsT o = binary(Kind::add);
  o.clamp_min = 0;
  o.clamp_max = 6;
  OpResult r = run_op(o, {tensor<float>({1, 3}, {-5, 2, 9}), tensor<float>({1}, {1})});
  CHECK(r.out[0].values<float>() == std::vector<float>{0, 3, 6});
  CHECK(run_op(o, {tensor<int32_t>({1}, {1}), tensor<int32_t>({1}, {1})}).status.code() == Code::bad_file);
  o.clamp_max = -1;
  CHECK(run_op(o, {tensor<float>({1}, {1}), tensor<float>({1}, {1})}).status.code() == Code::bad_file);
}

TEST_CASE("binary on quantized tensors works on the real numbers") {
  OpRunSettings settings;
  settings.declared = {tensor<int8_t>({1}, {}).quantized(0.5f, -10)};
  OpResult r = run_op(binary(Kind::mul),
                      {tensor<int8_t>({2, 2}, {-128, 4, 6, 127}).quantized(0.25f, 2),
                       tensor<int8_t>({2}, {3, -5}).quantized(2.0f, 1)},
                      settings);
  REQUIRE(r.status.message() == "");
  // (-130/4 * 4, 2/4 * -12, 4/4 * 4, 125/4 * -12) = -130, -6, 4, -375 -> / 0.5 - 10, saturated
  CHECK(r.out[0].values<int8_t>() == std::vector<int8_t>{-128, -22, -2, -128});
  CHECK(run_op(binary(Kind::add), {tensor<int8_t>({1}, {1}).quantized(1, 0), tensor<int8_t>({1}, {1})},
               settings)
            .status.code() == Code::bad_file);
}

TEST_CASE("binary refuses shapes, types and kinds that do not fit") {
  CHECK(
      run_op(binary(Kind::add), {tensor<float>({2}, {1, 2}), tensor<float>({3}, {1, 2, 3})}).status.code() ==
      Code::bad_file);
  CHECK(run_op(binary(Kind::add), {tensor<float>({1}, {1}), tensor<int32_t>({1}, {1})}).status.code() ==
        Code::unsupported);
  CHECK(run_op(binary(Kind::bitwise_and), {tensor<float>({1}, {1}), tensor<float>({1}, {1})}).status.code() ==
        Code::unsupported);
  CHECK(run_op(binary(static_cast<Kind>(77)), {tensor<float>({1}, {1}), tensor<float>({1}, {1})})
            .status.code() == Code::unsupported);
}

}  // namespace pith
