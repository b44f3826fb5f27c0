// Where: three-way broadcasting, element sizes, refusals.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

namespace pith {

TEST_CASE("where broadcasts its three operands") {
  const TestTensor cond = tensor<uint8_t>({2, 1}, {1, 0}, DType::boolean);
  OpResult r = run_op(schema::WhereOptionsT(), {cond, tensor<float>({3}, {1, 2, 3}), tensor<float>({}, {9})});
  REQUIRE(r.status.is_ok());
  CHECK(r.out[0].shape == Shape{2, 3});
  CHECK(r.out[0].values<float>() == std::vector<float>{1, 2, 3, 9, 9, 9});
  OpResult i = run_op(schema::WhereOptionsT(),
                      {cond, tensor<int64_t>({2, 1}, {1, 2}), tensor<int64_t>({2, 1}, {3, 4})});
  CHECK(i.out[0].values<int64_t>() == std::vector<int64_t>{1, 4});
  CHECK_FALSE(r.overrun);
}

TEST_CASE("where refuses unequal types and a condition that is not bool") {
  const TestTensor cond = tensor<uint8_t>({1}, {1}, DType::boolean);
  const TestTensor f = tensor<float>({1}, {1});
  CHECK(run_op(schema::WhereOptionsT(), {cond, f, tensor<int32_t>({1}, {1})}).status.code() ==
        Code::bad_file);
  CHECK(run_op(schema::WhereOptionsT(), {f, f, f}).status.code() == Code::unsupported);
}

}  // namespace pith
