// Expand and Tile: repetition by broadcasting and by counts.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

using namespace pith;

namespace {
TestTensor ints(const std::vector<int64_t>& v) {
  return tensor<int64_t>({static_cast<int64_t>(v.size())}, v);
}
}  // namespace

TEST_CASE("expand: dims of one are repeated, and new dims come in front") {
  const OpResult r = run_op(schema::ExpandOptionsT{}, {tensor<float>({2, 1}, {1, 2}), ints({2, 1, 3})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].shape == Shape{2, 2, 3});
  CHECK(r.out[0].values<float>() == std::vector<float>{1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2});
  CHECK_FALSE(r.overrun);
}

TEST_CASE("expand: a dim of one in the shape keeps the dim of the input") {
  const OpResult r = run_op(schema::ExpandOptionsT{}, {tensor<int8_t>({3}, {1, 2, 3}), ints({1})});
  CHECK(r.out[0].values<int8_t>() == std::vector<int8_t>{1, 2, 3});
  CHECK(run_op(schema::ExpandOptionsT{}, {tensor<int8_t>({3}, {1, 2, 3}), ints({2})}).status.code() ==
        Code::bad_file);
  CHECK(run_op(schema::ExpandOptionsT{}, {tensor<int8_t>({1}, {1}), ints({-2})}).status.code() ==
        Code::bad_file);
}

TEST_CASE("tile: every dim is repeated as a whole") {
  const OpResult r = run_op(schema::TileOptionsT{}, {tensor<int16_t>({2, 2}, {1, 2, 3, 4}), ints({2, 2})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].values<int16_t>() == std::vector<int16_t>{1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4});
  CHECK_FALSE(r.overrun);
}

TEST_CASE("tile: zero repeats give an empty tensor; negative and overflowing ones are refused") {
  const TestTensor x = tensor<float>({2, 2}, {1, 2, 3, 4});
  CHECK(run_op(schema::TileOptionsT{}, {x, ints({0, 3})}).out[0].shape == Shape{0, 6});
  CHECK(run_op(schema::TileOptionsT{}, {x, ints({-1, 1})}).status.code() == Code::bad_file);
  CHECK(run_op(schema::TileOptionsT{}, {x, ints({INT64_MAX, 1})}).status.code() == Code::bad_file);
  CHECK(run_op(schema::TileOptionsT{}, {x, ints({1})}).status.code() == Code::bad_file);
}
