// Reshape, Squeeze, Unsqueeze, Flatten, Shape: shape rules and refusals; data is carried over unchanged.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

using namespace pith;

namespace {
const TestTensor kX = tensor<float>({2, 1, 3}, {1, 2, 3, 4, 5, 6});
TestTensor ints(const std::vector<int64_t>& v) {
  return tensor<int64_t>({static_cast<int64_t>(v.size())}, v);
}
}  // namespace

TEST_CASE("reshape: zero copies a dim and minus one is derived") {
  const OpResult r = run_op(schema::ReshapeOptionsT{}, {kX, ints({0, -1})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].shape == Shape{2, 3});
  CHECK(r.out[0].values<float>() == kX.values<float>());
  CHECK_FALSE(r.overrun);
}

TEST_CASE("reshape: with allow_zero, zero means an empty dim") {
  schema::ReshapeOptionsT options;
  options.allow_zero = true;
  const OpResult r = run_op(options, {tensor<float>({0, 4}, {}), ints({2, 0})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].shape == Shape{2, 0});
}

TEST_CASE("reshape: shapes that do not fit are refused") {
  CHECK(run_op(schema::ReshapeOptionsT{}, {kX, ints({4})}).status.code() == Code::bad_file);
  CHECK(run_op(schema::ReshapeOptionsT{}, {kX, ints({-1, 4})}).status.code() == Code::bad_file);
  CHECK(run_op(schema::ReshapeOptionsT{}, {kX, ints({-1, -1})}).status.code() == Code::bad_file);
  CHECK(run_op(schema::ReshapeOptionsT{}, {kX, ints({-2})}).status.code() == Code::bad_file);
  CHECK(run_op(schema::ReshapeOptionsT{}, {kX, ints({1, 1, 1, 1, 1, 1, 1, 1, 6})}).status.code() ==
        Code::unsupported);
  CHECK(run_op(schema::ReshapeOptionsT{}, {kX, ints({INT64_MAX, INT64_MAX})}).status.code() ==
        Code::bad_file);
}

TEST_CASE("reshape: a shape known only at run time asks the planner for its value") {
  const OpResult r = run_op(schema::ReshapeOptionsT{}, {kX, ints({6}).known_at_run_only()});
  CHECK(r.status.code() == Code::needs_value);
}

TEST_CASE("squeeze and unsqueeze: named axes go and come, negative ones count from the end") {
  CHECK(run_op(schema::SqueezeOptionsT{}, {kX, ints({-2})}).out[0].shape == Shape{2, 3});
  CHECK(run_op(schema::SqueezeOptionsT{}, {kX}).out[0].shape == Shape{2, 3});
  CHECK(run_op(schema::SqueezeOptionsT{}, {kX, ints({0})}).status.code() == Code::bad_file);
  CHECK(run_op(schema::UnsqueezeOptionsT{}, {kX, ints({-1, 0})}).out[0].shape == Shape{1, 2, 1, 3, 1});
  CHECK(run_op(schema::UnsqueezeOptionsT{}, {kX, ints({1, 1})}).status.code() == Code::bad_file);
}

TEST_CASE("flatten: everything before the axis becomes rows") {
  schema::FlattenOptionsT options;
  options.axis = -1;
  CHECK(run_op(options, {kX}).out[0].shape == Shape{2, 3});
  options.axis = 0;
  CHECK(run_op(options, {kX}).out[0].shape == Shape{1, 6});
  options.axis = 4;
  CHECK(run_op(options, {kX}).status.code() == Code::bad_file);
}

TEST_CASE("shape: gives the dims between start and end, or the number of elements") {
  schema::ShapeOptionsT options;
  CHECK(run_op(options, {kX}).out[0].values<int64_t>() == std::vector<int64_t>{2, 1, 3});
  options.start = -2;
  options.end = 2;
  CHECK(run_op(options, {kX}).out[0].values<int64_t>() == std::vector<int64_t>{1});
  options.element_count = true;
  CHECK(run_op(options, {kX}).out[0].values<int64_t>() == std::vector<int64_t>{6});
  CHECK(run_op(options, {kX}).out[0].shape == Shape{});
}
