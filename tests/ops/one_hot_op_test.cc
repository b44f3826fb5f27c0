// OneHot: axis, index types, indices outside the depth.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"

using namespace pith;

namespace {
schema::OneHotOptionsT along(int axis) {
  schema::OneHotOptionsT options;
  options.axis = axis;
  return options;
}
const TestTensor kDepth = tensor<int64_t>({1}, {3}), kValues = tensor<float>({2}, {2, 5});
using Values = std::vector<float>;
}  // namespace

TEST_CASE("one hot: the new axis is on at the index; negative indices count from the end") {
  OpResult r = run_op(along(-1), {tensor<int64_t>({2}, {1, -1}), kDepth, kValues});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].shape == Shape{2, 3});
  CHECK(r.out[0].values<float>() == Values{2, 5, 2, 2, 2, 5});
  r = run_op(along(0), {tensor<int32_t>({2}, {0, 2}), kDepth, kValues});
  CHECK(r.out[0].shape == Shape{3, 2});
  CHECK(r.out[0].values<float>() == Values{5, 2, 2, 2, 2, 5});
}

TEST_CASE("one hot: indices that name no row give a row of off") {
  const OpResult r = run_op(along(-1), {tensor<float>({4}, {3, -4, NAN, INFINITY}), kDepth, kValues});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].values<float>() == Values(12, 2));
  CHECK(run_op(along(-1), {tensor<uint64_t>({1}, {UINT64_MAX}), kDepth, kValues}).out[0].values<float>() ==
        Values(3, 2));
  CHECK(run_op(along(-1), {tensor<int64_t>({1}, {INT64_MIN}), kDepth, kValues}).out[0].values<float>() ==
        Values(3, 2));
}

TEST_CASE("one hot: bad axes, depths and values are refused") {
  const TestTensor i = tensor<int64_t>({1}, {0});
  CHECK(run_op(along(2), {i, kDepth, kValues}).status.code() == Code::bad_file);
  CHECK(run_op(along(0), {i, tensor<int64_t>({1}, {-1}), kValues}).status.code() == Code::bad_file);
  CHECK(run_op(along(0), {i, kDepth, tensor<float>({1}, {1})}).status.code() == Code::bad_file);
}
