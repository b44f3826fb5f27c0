// Requantize: one scale and one per channel, saturation, refusals.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

namespace pith {

TEST_CASE("requantize rescales sums to codes of the zero point's type") {
  const TestTensor acc = tensor<int32_t>({2, 3}, {100, -50, 2000000, 7, -7, 0});
  OpResult one = run_op(schema::RequantizeOptionsT(),
                        {acc, tensor<float>({}, {0.5f}), tensor<float>({}, {2}), tensor<int8_t>({}, {1})});
  REQUIRE(one.status.message() == "");
  CHECK(one.out[0].values<int8_t>() == std::vector<int8_t>{26, -11, 127, 3, -1, 1});
  OpResult each = run_op(schema::RequantizeOptionsT(), {acc, tensor<float>({3}, {0.5f, 1, 2}),
                                                        tensor<float>({}, {1}), tensor<uint8_t>({}, {60})});
  CHECK(each.out[0].values<uint8_t>() == std::vector<uint8_t>{110, 10, 255, 64, 53, 60});
}

TEST_CASE("requantize refuses scales that do not fit the axis") {
  CHECK(run_op(schema::RequantizeOptionsT(), {tensor<int32_t>({1, 3}, {1, 2, 3}), tensor<float>({2}, {1, 1}),
                                              tensor<float>({}, {1}), tensor<uint8_t>({}, {0})})
            .status.code() == Code::bad_file);
}

}  // namespace pith
