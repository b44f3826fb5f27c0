// Gather, GatherElements, GatherNd: shapes, negative indices, and indices that are not valid.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

using namespace pith;

namespace {
const TestTensor kX = tensor<float>({2, 3}, {0, 1, 2, 3, 4, 5});
using Values = std::vector<float>;
}  // namespace

TEST_CASE("gather: the axis is replaced by the dims of the indices") {
  schema::GatherOptionsT options;
  options.axis = -1;
  const OpResult r = run_op(options, {kX, tensor<int32_t>({1, 2}, {2, -3})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].shape == Shape{2, 1, 2});
  CHECK(r.out[0].values<float>() == Values{2, 0, 5, 3});
  options.axis = 0;
  CHECK(run_op(options, {kX, tensor<int64_t>({}, {1})}).out[0].values<float>() == Values{3, 4, 5});
}

TEST_CASE("gather: a bad index is refused when it is known, and moved inside when it is not") {
  const TestTensor bad = tensor<int64_t>({2}, {5, -9});
  CHECK(run_op(schema::GatherOptionsT{}, {kX, bad}).status.code() == Code::bad_file);
  const OpResult r = run_op(schema::GatherOptionsT{}, {kX, TestTensor(bad).known_at_run_only()});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].values<float>() == Values{3, 4, 5, 0, 1, 2});
  const TestTensor none = tensor<float>({0, 3}, {});
  CHECK(run_op(schema::GatherOptionsT{}, {none, TestTensor(bad).known_at_run_only()}).status.code() ==
        Code::bad_file);
}

TEST_CASE("gather elements: every output has its own index") {
  schema::GatherElementsOptionsT options;
  options.axis = 1;
  OpResult r = run_op(options, {kX, tensor<int64_t>({2, 2}, {0, -1, 1, 1})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].values<float>() == Values{0, 2, 4, 4});
  options.axis = 0;
  r = run_op(options, {kX, tensor<int64_t>({1, 2}, {1, 0})});
  CHECK(r.out[0].values<float>() == Values{3, 1});
  CHECK(run_op(options, {kX, tensor<int64_t>({1, 4}, {0, 0, 0, 0})}).status.code() == Code::bad_file);
  CHECK(run_op(options, {kX, tensor<int64_t>({1, 1}, {2})}).status.code() == Code::bad_file);
  r = run_op(options, {kX, tensor<int64_t>({1, 1}, {INT64_MIN}).known_at_run_only()});
  CHECK(r.out[0].values<float>() == Values{0});
}

TEST_CASE("gather nd: tuples pick elements or blocks, per batch") {
  OpResult r = run_op(schema::GatherNdOptionsT{}, {kX, tensor<int64_t>({2, 2}, {0, 1, -1, 2})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].values<float>() == Values{1, 5});
  r = run_op(schema::GatherNdOptionsT{}, {kX, tensor<int64_t>({1, 1}, {1})});
  CHECK(r.out[0].shape == Shape{1, 3});
  CHECK(r.out[0].values<float>() == Values{3, 4, 5});
  schema::GatherNdOptionsT batched;
  batched.batch_dims = 1;
  r = run_op(batched, {kX, tensor<int64_t>({2, 1}, {2, 0})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].values<float>() == Values{2, 3});
  CHECK(run_op(schema::GatherNdOptionsT{}, {kX, tensor<int64_t>({1, 3}, {0, 0, 0})}).status.code() ==
        Code::bad_file);
  batched.batch_dims = UINT32_MAX;
  CHECK(run_op(batched, {kX, tensor<int64_t>({2, 1}, {2, 0})}).status.code() == Code::bad_file);
}
