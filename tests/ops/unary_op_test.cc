// Unary: types, refusals, and the quantized table against dequantize, f, quantize.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"

namespace pith {
namespace {

schema::UnaryOptionsT unary(schema::UnaryKind kind, float alpha = 0, float beta = 0) {
  schema::UnaryOptionsT o;
  o.kind = kind;
  o.alpha = alpha;
  o.beta = beta;
  return o;
}
using Kind = schema::UnaryKind;

}  // namespace

TEST_CASE("unary computes floats and integers in their own type") {
  OpResult f = run_op(unary(Kind::clip, -1, 1), {tensor<float>({3}, {-2, 0.5f, 3})});
  REQUIRE(f.status.is_ok());
  CHECK_FALSE(f.overrun);
  CHECK(f.out[0].values<float>() == std::vector<float>{-1, 0.5f, 1});
  OpResult i = run_op(unary(Kind::neg), {tensor<int64_t>({2}, {INT64_MIN, 7})});
  CHECK(i.out[0].values<int64_t>() == std::vector<int64_t>{INT64_MIN, -7});
  OpResult n = run_op(unary(Kind::bitwise_not), {tensor<uint16_t>({1}, {0xf0f0})});
  CHECK(n.out[0].values<uint16_t>() == std::vector<uint16_t>{0x0f0f});
  OpResult d = run_op(unary(Kind::exp), {tensor<double>({1}, {1})});
  CHECK(d.out[0].values<double>()[0] == doctest::Approx(2.718281828459045).epsilon(1e-15));
}

TEST_CASE("unary predicates give bool") {
  const float inf = INFINITY;
  OpResult r = run_op(unary(Kind::is_inf, 1, 0), {tensor<float>({3}, {inf, -inf, 0})});
  REQUIRE(r.status.is_ok());
  CHECK(r.out[0].dtype == DType::boolean);
  CHECK(r.out[0].values<uint8_t>() == std::vector<uint8_t>{1, 0, 0});
  OpResult n = run_op(unary(Kind::logical_not), {tensor<uint8_t>({2}, {1, 0}, DType::boolean)});
  CHECK(n.out[0].values<uint8_t>() == std::vector<uint8_t>{0, 1});
}

TEST_CASE("unary refuses functions that a type does not have") {
  CHECK(run_op(unary(Kind::sin), {tensor<int32_t>({1}, {1})}).status.code() == Code::unsupported);
  CHECK(run_op(unary(Kind::logical_not), {tensor<float>({1}, {1})}).status.code() == Code::unsupported);
  CHECK(run_op(unary(static_cast<Kind>(200)), {tensor<float>({1}, {1})}).status.code() == Code::unsupported);
  CHECK(run_op(unary(Kind::relu), {tensor<int8_t>({1}, {1}).quantized(0.5f, 0)}).status.code() ==
        Code::bad_file);
}

TEST_CASE("quantized unary equals dequantize, function, quantize for all 256 codes") {
  std::vector<int8_t> codes;
  for (int c = -128; c < 128; ++c) codes.push_back(static_cast<int8_t>(c));
  OpRunSettings settings;
  settings.declared = {tensor<int8_t>({256}, {}).quantized(1.0f / 256, -128)};
  settings.threads = 2;
  OpResult r = run_op(unary(Kind::sigmoid), {tensor<int8_t>({256}, codes).quantized(0.05f, 3)}, settings);
  REQUIRE(r.status.is_ok());
  CHECK(r.kernel == "unary_table");
  const auto y = r.out[0].values<int8_t>();
  for (size_t i = 0; i < 256; ++i) {
    const double real = 1 / (1 + std::exp(-static_cast<double>(0.05f) * (codes[i] - 3)));
    CHECK(y[i] == std::min(127.0, std::nearbyint(real * 256) - 128));
  }
}

}  // namespace pith
