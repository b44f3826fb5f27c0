// Slice: numpy's meaning of start, end and step, with clamping.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

using namespace pith;

namespace {
using Ints = std::vector<int64_t>;
TestTensor ints(const Ints& v) { return tensor<int64_t>({static_cast<int64_t>(v.size())}, v); }
const TestTensor kX = tensor<float>({2, 4}, {0, 1, 2, 3, 4, 5, 6, 7});

std::vector<float> slice(const Ints& starts, const Ints& ends, const Ints& axes, const Ints& steps) {
  const OpResult r = run_op(schema::SliceOptionsT{}, {kX, ints(starts), ints(ends), ints(axes), ints(steps)});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK_FALSE(r.overrun);
  return r.out[0].values<float>();
}
}  // namespace

TEST_CASE("slice: takes every step-th element between start and end") {
  CHECK(slice({0, 1}, {1, 4}, {0, 1}, {1, 2}) == std::vector<float>{1, 3});
  CHECK(slice({1}, {3}, {-1}, {1}) == std::vector<float>{1, 2, 5, 6});
}

TEST_CASE("slice: a negative step walks backwards, to the first element if the end lies before it") {
  CHECK(slice({-1}, {-100}, {1}, {-1}) == std::vector<float>{3, 2, 1, 0, 7, 6, 5, 4});
  CHECK(slice({100}, {0}, {1}, {-2}) == std::vector<float>{3, 1, 7, 5});
  CHECK(slice({INT64_MAX}, {INT64_MIN}, {1}, {INT64_MIN}) == std::vector<float>{3, 7});
}

TEST_CASE("slice: starts and ends beyond the axis are clamped; an empty range gives an empty axis") {
  CHECK(slice({-100}, {INT64_MAX}, {0}, {INT64_MAX}) == std::vector<float>{0, 1, 2, 3});
  CHECK(slice({3}, {1}, {1}, {1}).empty());
  CHECK(slice({100}, {200}, {1}, {1}).empty());
}

TEST_CASE("slice: i32 indices, and axes and steps left out") {
  const OpResult r =
      run_op(schema::SliceOptionsT{}, {kX, tensor<int32_t>({2}, {0, 2}), tensor<int32_t>({2}, {1000, -1})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].values<float>() == std::vector<float>{2, 6});
}

TEST_CASE("slice: step zero, an axis twice, lists of different length are refused") {
  const auto code = [](const Ints& s, const Ints& e, const Ints& a, const Ints& st) {
    return run_op(schema::SliceOptionsT{}, {kX, ints(s), ints(e), ints(a), ints(st)}).status.code();
  };
  CHECK(code({0}, {1}, {0}, {0}) == Code::bad_file);
  CHECK(code({0, 0}, {1, 1}, {0, -2}, {1, 1}) == Code::bad_file);
  CHECK(code({0, 0}, {1}, {0}, {1}) == Code::bad_file);
  CHECK(code({0}, {1}, {2}, {1}) == Code::bad_file);
}
