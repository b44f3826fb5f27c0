// Range: lengths and values, both directions, extremes.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"

using namespace pith;

namespace {
template <class T>
OpResult range(T start, T limit, T delta) {
  return run_op(schema::RangeOptionsT{},
                {tensor<T>({}, {start}), tensor<T>({}, {limit}), tensor<T>({}, {delta})});
}
}  // namespace

TEST_CASE("range: stops before the limit, upwards and downwards") {
  CHECK(range<int32_t>(3, 10, 3).out[0].values<int32_t>() == std::vector<int32_t>{3, 6, 9});
  CHECK(range<int64_t>(10, 4, -2).out[0].values<int64_t>() == std::vector<int64_t>{10, 8, 6});
  CHECK(range<float>(0, 1, 0.25f).out[0].values<float>() == std::vector<float>{0, 0.25f, 0.5f, 0.75f});
  CHECK(range<int16_t>(5, 5, 1).out[0].shape == Shape{0});
  CHECK(range<double>(1, 0, 1).out[0].shape == Shape{0});
}

TEST_CASE("range: extremes neither overflow nor run on") {
  CHECK(range<int64_t>(INT64_MIN, INT64_MAX, INT64_MAX).out[0].values<int64_t>() ==
        std::vector<int64_t>{INT64_MIN, -1, INT64_MAX - 1});
  CHECK(range<int64_t>(INT64_MIN, INT64_MAX, 1).status.code() == Code::bad_file);
  CHECK(range<int64_t>(0, 1, 0).status.code() == Code::bad_file);
  CHECK(range<float>(0, 1, 0).status.code() == Code::bad_file);
  CHECK(range<float>(0, NAN, 1).status.code() == Code::bad_file);
  CHECK(range<float>(0, INFINITY, 1).status.code() == Code::bad_file);
}
