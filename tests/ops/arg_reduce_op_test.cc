// ArgReduce: rows and columns, ties, types, refusals.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

namespace pith {
namespace {

schema::ArgReduceOptionsT options(bool largest, int axis, bool keepdims = false, bool last = false) {
  schema::ArgReduceOptionsT o;
  o.largest = largest;
  o.axis = axis;
  o.keepdims = keepdims;
  o.select_last_index = last;
  return o;
}
const TestTensor kX = tensor<float>({2, 3}, {1, 3, 3, 0, 2, -1});

}  // namespace

TEST_CASE("arg_reduce finds the first or last extreme along rows and columns") {
  CHECK(run_op(options(true, -1), {kX}).out[0].values<int64_t>() == std::vector<int64_t>{1, 1});
  CHECK(run_op(options(true, 1, false, true), {kX}).out[0].values<int64_t>() == std::vector<int64_t>{2, 1});
  CHECK(run_op(options(false, 0), {kX}).out[0].values<int64_t>() == std::vector<int64_t>{1, 1, 1});
  OpResult keep = run_op(options(true, 0, true), {kX});
  CHECK(keep.out[0].shape == Shape{1, 3});
  CHECK(keep.out[0].values<int64_t>() == std::vector<int64_t>{0, 0, 0});
}

TEST_CASE("arg_reduce walks long rows and wide tiles of integers") {
  std::vector<uint64_t> x(1000, 1);
  x[777] = UINT64_MAX;
  CHECK(run_op(options(true, 0), {tensor<uint64_t>({1000}, x)}).out[0].values<int64_t>() ==
        std::vector<int64_t>{777});
  OpResult r = run_op(options(true, 0), {tensor<uint64_t>({5, 200}, x)});
  CHECK(r.out[0].values<int64_t>()[177] == 3);
  CHECK_FALSE(r.overrun);
}

TEST_CASE("arg_reduce refuses an empty axis and an axis outside the rank") {
  CHECK(run_op(options(true, 0), {tensor<float>({0, 2}, {})}).status.code() == Code::bad_file);
  CHECK(run_op(options(true, 2), {kX}).status.code() == Code::bad_file);
}

}  // namespace pith
