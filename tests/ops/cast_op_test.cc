// Cast: values between types, out-of-range rules, 4-bit elements, refusals.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"

namespace pith {
namespace {

TestTensor cast(const TestTensor& x, DType to, schema::CastRounding rounding = schema::CastRounding::wrap) {
  schema::CastOptionsT o;
  o.rounding = rounding;
  o.to = static_cast<uint8_t>(to);
  OpResult r = run_op(o, {x});
  CHECK(r.status.message() == "");
  CHECK_FALSE(r.overrun);
  return r.out.empty() ? TestTensor{} : r.out[0];
}

}  // namespace

TEST_CASE("cast of floats truncates, wraps in 64 bits and gives 0 for NaN") {
  const TestTensor x = tensor<float>({6}, {-1.9f, 2.9f, 300, -129, NAN, 1e20f});
  CHECK(cast(x, DType::i8).values<int8_t>() == std::vector<int8_t>{-1, 2, 44, 127, 0, -1});
  CHECK(cast(x, DType::i64).values<int64_t>() == std::vector<int64_t>{-1, 2, 300, -129, 0, INT64_MAX});
  CHECK(cast(x, DType::boolean).values<uint8_t>() == std::vector<uint8_t>{1, 1, 1, 1, 1, 1});
}

TEST_CASE("cast with saturation clamps to the bounds of the result") {
  const auto saturate = schema::CastRounding::saturate;
  const TestTensor x = tensor<float>({3}, {-3e9f, 3e9f, NAN});
  CHECK(cast(x, DType::i8, saturate).values<int8_t>() == std::vector<int8_t>{-128, 127, 0});
  CHECK(cast(x, DType::i32, saturate).values<int32_t>() == std::vector<int32_t>{INT32_MIN, INT32_MAX, 0});
  CHECK(cast(x, DType::u64, saturate).values<uint64_t>() == std::vector<uint64_t>{0, 3000000000u, 0});
  const TestTensor i = tensor<int64_t>({2}, {-5, INT64_MAX});
  CHECK(cast(i, DType::u64, saturate).values<uint64_t>() == std::vector<uint64_t>{0, INT64_MAX});
  CHECK(cast(i, DType::u8, saturate).values<uint8_t>() == std::vector<uint8_t>{0, 255});
  const TestTensor u = tensor<uint64_t>({1}, {UINT64_MAX});
  CHECK(cast(u, DType::i64, saturate).values<int64_t>() == std::vector<int64_t>{INT64_MAX});
}

TEST_CASE("cast between integers keeps the low bits, to float rounds once") {
  CHECK(cast(tensor<int32_t>({2}, {-1, 256}), DType::u8).values<uint8_t>() == std::vector<uint8_t>{255, 0});
  CHECK(cast(tensor<uint64_t>({1}, {UINT64_MAX}), DType::f32).values<float>() == std::vector<float>{0x1p64f});
  CHECK(cast(tensor<int64_t>({1}, {(int64_t{1} << 24) + 1}), DType::f32).values<float>() ==
        std::vector<float>{0x1p24f});
  CHECK(cast(tensor<uint8_t>({2}, {0, 7}), DType::f32).values<float>() == std::vector<float>{0, 7});
}

TEST_CASE("cast reads and writes half floats and 4-bit integers") {
  CHECK(cast(tensor<float>({2}, {1, -2}), DType::f16).values<uint16_t>() ==
        std::vector<uint16_t>{0x3c00, 0xc000});
  CHECK(cast(tensor<uint16_t>({1}, {0x3fc0}, DType::bf16), DType::f32).values<float>() ==
        std::vector<float>{1.5f});
  const TestTensor nibbles = tensor<uint8_t>({3}, {0xf1, 0x08}, DType::i4);
  CHECK(cast(nibbles, DType::i8).values<int8_t>() == std::vector<int8_t>{1, -1, -8});
  CHECK(cast(tensor<int8_t>({3}, {1, -1, -8}), DType::i4).values<uint8_t>() ==
        std::vector<uint8_t>{0xf1, 0x08});
}

TEST_CASE("cast refuses a type that does not exist") {
  schema::CastOptionsT odd;
  odd.to = 99;
  CHECK(run_op(odd, {tensor<float>({1}, {1})}).status.code() == Code::bad_file);
  CHECK(run_op(schema::CastOptionsT(), {tensor<float>({1}, {1})}).status.code() == Code::bad_file);
}

}  // namespace pith
