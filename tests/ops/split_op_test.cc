// Split: given sizes, equal parts, a smaller last part, empty pieces.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

using namespace pith;

namespace {
const TestTensor kX = tensor<int32_t>({2, 5}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
schema::SplitOptionsT along(int axis) {
  schema::SplitOptionsT options;
  options.axis = axis;
  return options;
}
OpRunSettings pieces(size_t n) {
  OpRunSettings settings;
  settings.outputs = n;
  return settings;
}
}  // namespace

TEST_CASE("split: sizes say how much each piece takes, zero included") {
  const OpResult r = run_op(along(1), {kX, tensor<int64_t>({3}, {2, 0, 3})}, pieces(3));
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].values<int32_t>() == std::vector<int32_t>{0, 1, 5, 6});
  CHECK(r.out[1].shape == Shape{2, 0});
  CHECK(r.out[2].values<int32_t>() == std::vector<int32_t>{2, 3, 4, 7, 8, 9});
  CHECK_FALSE(r.overrun);
}

TEST_CASE("split: without sizes pieces are equal and the last one takes what is left") {
  const OpResult r = run_op(along(-1), {kX}, pieces(2));
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].shape == Shape{2, 3});
  CHECK(r.out[1].values<int32_t>() == std::vector<int32_t>{3, 4, 8, 9});
  CHECK(run_op(along(0), {kX}, pieces(4)).out[3].shape == Shape{0, 5});
}

TEST_CASE("split: sizes that do not add up are refused") {
  CHECK(run_op(along(1), {kX, tensor<int64_t>({2}, {2, 2})}, pieces(2)).status.code() == Code::bad_file);
  CHECK(run_op(along(1), {kX, tensor<int64_t>({1}, {5})}, pieces(2)).status.code() == Code::bad_file);
  CHECK(run_op(along(1), {kX, tensor<int64_t>({2}, {6, -1})}, pieces(2)).status.code() == Code::bad_file);
  CHECK(run_op(along(1), {kX, tensor<int64_t>({2}, {INT64_MAX, INT64_MAX})}, pieces(2)).status.code() ==
        Code::bad_file);
}
