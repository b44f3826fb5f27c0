// NonZero: places in row-major order; its shape needs the values.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"

using namespace pith;

TEST_CASE("non zero: gives the place of every element that is not zero, one row per dim") {
  const OpResult r = run_op(schema::NonZeroOptionsT{}, {tensor<float>({2, 3}, {0, 1, -0.0f, NAN, 0, -2})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].shape == Shape{2, 3});
  CHECK(r.out[0].values<int64_t>() == std::vector<int64_t>{0, 1, 1, 1, 0, 2});
  CHECK_FALSE(r.overrun);
}

TEST_CASE("non zero: integers, bools, scalars and empty tensors") {
  CHECK(run_op(schema::NonZeroOptionsT{}, {tensor<int8_t>({2}, {-128, 0})}).out[0].values<int64_t>() ==
        std::vector<int64_t>{0});
  CHECK(run_op(schema::NonZeroOptionsT{}, {tensor<uint8_t>({3}, {0, 1, 1}, DType::boolean)}).out[0].shape ==
        Shape{1, 2});
  CHECK(run_op(schema::NonZeroOptionsT{}, {tensor<int64_t>({}, {4})}).out[0].shape == Shape{0, 1});
  CHECK(run_op(schema::NonZeroOptionsT{}, {tensor<int64_t>({0, 2}, {})}).out[0].shape == Shape{2, 0});
}

TEST_CASE("non zero: values known only at run time are asked for") {
  CHECK(run_op(schema::NonZeroOptionsT{}, {tensor<float>({1}, {1}).known_at_run_only()}).status.code() ==
        Code::needs_value);
}
