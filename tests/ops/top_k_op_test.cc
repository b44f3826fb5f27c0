// TopK: order, ties, columns, every k against a full sort, refusals.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "tests/support/op_runner.h"

namespace pith {
namespace {

OpResult top(const TestTensor& x, int64_t k, int axis, bool largest = true) {
  schema::TopKOptionsT o;
  o.axis = axis;
  o.largest = largest;
  OpRunSettings settings;
  settings.outputs = 2;
  return run_op(o, {x, tensor<int64_t>({1}, {k})}, settings);
}

}  // namespace

TEST_CASE("top_k agrees with a stable sort for every k") {
  std::vector<int32_t> x(50);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<int32_t>(i * 17 % 23);  // many equal values
  for (bool largest : {true, false})
    for (int64_t k = 0; k <= 50; ++k) {
      OpResult r = top(tensor<int32_t>({50}, x), k, 0, largest);
      REQUIRE(r.status.message() == "");
      CHECK_FALSE(r.overrun);
      std::vector<int64_t> order(50);
      std::iota(order.begin(), order.end(), 0);
      std::ranges::stable_sort(order, [&](int64_t a, int64_t b) {
        const int32_t p = x[static_cast<size_t>(a)], q = x[static_cast<size_t>(b)];
        return largest ? p > q : p < q;
      });
      order.resize(static_cast<size_t>(k));
      CHECK(r.out[1].values<int64_t>() == order);
      const auto values = r.out[0].values<int32_t>();
      for (size_t i = 0; i < order.size(); ++i) CHECK(values[i] == x[static_cast<size_t>(order[i])]);
    }
}

TEST_CASE("top_k works along an outer axis") {
  OpResult r = top(tensor<float>({3, 2}, {1, 6, 5, 2, 3, 4}), 2, 0);
  CHECK(r.out[0].shape == Shape{2, 2});
  CHECK(r.out[0].values<float>() == std::vector<float>{5, 6, 3, 4});
  CHECK(r.out[1].values<int64_t>() == std::vector<int64_t>{1, 0, 2, 2});
}

TEST_CASE("top_k refuses a k that the axis cannot give") {
  CHECK(top(tensor<float>({3}, {1, 2, 3}), 4, 0).status.code() == Code::bad_file);
  CHECK(top(tensor<float>({3}, {1, 2, 3}), -1, 0).status.code() == Code::bad_file);
  CHECK(top(tensor<float>({3}, {1, 2, 3}), 1, 1).status.code() == Code::bad_file);
}

}  // namespace pith
