// ScatterElements and ScatterNd: order, reductions, and indices that are not valid.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

using namespace pith;

namespace {
using Values = std::vector<float>;
schema::ScatterElementsOptionsT elements(int axis, schema::ScatterReduction reduction = {}) {
  schema::ScatterElementsOptionsT options;
  options.axis = axis;
  options.reduction = reduction;
  return options;
}
schema::ScatterNdOptionsT nd(schema::ScatterReduction reduction) {
  schema::ScatterNdOptionsT options;
  options.reduction = reduction;
  return options;
}
const TestTensor kX = tensor<float>({2, 3}, {0, 1, 2, 3, 4, 5});
}  // namespace

TEST_CASE("scatter elements: updates replace the elements they point at") {
  OpResult r = run_op(elements(1), {kX, tensor<int64_t>({1, 2}, {1, -1}), tensor<float>({1, 2}, {10, 20})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].values<float>() == Values{0, 10, 20, 3, 4, 5});
  r = run_op(elements(0),
             {kX, tensor<int32_t>({2, 2}, {1, 0, 0, 1}), tensor<float>({2, 2}, {10, 20, 30, 40})});
  CHECK(r.out[0].values<float>() == Values{30, 20, 2, 10, 40, 5});
}

TEST_CASE("scatter elements: reductions meet duplicates in order") {
  const auto run = [](schema::ScatterReduction reduction) {
    return run_op(elements(0, reduction), {tensor<int32_t>({2}, {3, 5}), tensor<int64_t>({3}, {0, 0, 1}),
                                           tensor<int32_t>({3}, {2, 7, -1})})
        .out[0]
        .values<int32_t>();
  };
  CHECK(run(schema::ScatterReduction::none) == std::vector<int32_t>{7, -1});
  CHECK(run(schema::ScatterReduction::add) == std::vector<int32_t>{12, 4});
  CHECK(run(schema::ScatterReduction::mul) == std::vector<int32_t>{42, -5});
  CHECK(run(schema::ScatterReduction::max) == std::vector<int32_t>{7, 5});
  CHECK(run(schema::ScatterReduction::min) == std::vector<int32_t>{2, -1});
}

TEST_CASE("scatter nd: tuples address elements or blocks") {
  OpResult r = run_op(nd(schema::ScatterReduction::add),
                      {kX, tensor<int64_t>({2, 1}, {1, 1}), tensor<float>({2, 3}, {1, 1, 1, 2, 2, 2})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].values<float>() == Values{0, 1, 2, 6, 7, 8});
  r = run_op(nd({}), {kX, tensor<int64_t>({1, 2}, {0, -1}), tensor<float>({1}, {9})});
  CHECK(r.out[0].values<float>() == Values{0, 1, 9, 3, 4, 5});
}

TEST_CASE("scatter: a bad index is refused when it is known, and skipped when it is not") {
  const TestTensor bad = tensor<int64_t>({1, 1}, {7});
  const TestTensor update = tensor<float>({1, 1}, {9}), row = tensor<float>({1, 3}, {9, 9, 9});
  CHECK(run_op(elements(0), {kX, bad, update}).status.code() == Code::bad_file);
  CHECK(run_op(nd({}), {kX, bad, row}).status.code() == Code::bad_file);
  const TestTensor late = TestTensor(bad).known_at_run_only();
  CHECK(run_op(elements(0), {kX, late, update}).out[0].bytes == kX.bytes);
  CHECK(run_op(nd({}), {kX, late, row}).out[0].bytes == kX.bytes);
}

TEST_CASE("scatter: shapes and types that do not fit are refused") {
  const TestTensor zero = tensor<int64_t>({1, 1}, {0});
  CHECK(run_op(elements(0), {kX, zero, tensor<float>({1, 2}, {1, 2})}).status.code() == Code::bad_file);
  CHECK(run_op(nd({}), {kX, zero, tensor<float>({1, 2}, {1, 2})}).status.code() == Code::bad_file);
  CHECK(run_op(elements(0), {kX, zero, tensor<int32_t>({1, 1}, {1})}).status.code() == Code::bad_file);
  const TestTensor flag = tensor<uint8_t>({1}, {1}, DType::boolean);
  CHECK(run_op(elements(0, schema::ScatterReduction::add), {flag, tensor<int64_t>({1}, {0}), flag})
            .status.code() == Code::unsupported);
}
