// Fill: one value everywhere.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

using namespace pith;

TEST_CASE("fill: every element gets the value, for every element size") {
  const auto shape = tensor<int64_t>({2}, {2, 3});
  CHECK(run_op(schema::FillOptionsT{}, {shape, tensor<float>({1}, {2.5f})}).out[0].values<float>() ==
        std::vector<float>(6, 2.5f));
  CHECK(run_op(schema::FillOptionsT{}, {shape, tensor<uint8_t>({1}, {1}, DType::boolean)})
            .out[0]
            .values<uint8_t>() == std::vector<uint8_t>(6, 1));
  CHECK(run_op(schema::FillOptionsT{}, {shape, tensor<int64_t>({1}, {-3})}).out[0].values<int64_t>() ==
        std::vector<int64_t>(6, -3));
}

TEST_CASE("fill: an empty shape is a scalar; negative dims and several values are refused") {
  const auto one = tensor<float>({1}, {4});
  CHECK(run_op(schema::FillOptionsT{}, {tensor<int64_t>({0}, {}), one}).out[0].values<float>() ==
        std::vector<float>{4});
  CHECK(run_op(schema::FillOptionsT{}, {tensor<int64_t>({1}, {-1}), one}).status.code() == Code::bad_file);
  CHECK(
      run_op(schema::FillOptionsT{}, {tensor<int64_t>({1}, {1}), tensor<float>({2}, {1, 2})}).status.code() ==
      Code::bad_file);
}
