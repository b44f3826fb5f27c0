// CumSum: both directions, exclusive, both layouts of the axis, long rows, refusals.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

namespace pith {
namespace {

schema::CumSumOptionsT options(bool exclusive, bool reverse, bool product = false) {
  schema::CumSumOptionsT o;
  o.exclusive = exclusive;
  o.reverse = reverse;
  o.product = product;
  return o;
}
std::vector<int32_t> over(const schema::CumSumOptionsT& o, int32_t axis) {
  OpResult r = run_op(o, {tensor<int32_t>({2, 3}, {1, 2, 3, 4, 5, 6}), tensor<int32_t>({}, {axis})});
  CHECK(r.status.message() == "");
  return r.out[0].values<int32_t>();
}

}  // namespace

TEST_CASE("cum_sum runs along rows and columns, forwards and backwards") {
  CHECK(over(options(false, false), 1) == std::vector<int32_t>{1, 3, 6, 4, 9, 15});
  CHECK(over(options(true, false), -1) == std::vector<int32_t>{0, 1, 3, 0, 4, 9});
  CHECK(over(options(false, true), 1) == std::vector<int32_t>{6, 5, 3, 15, 11, 6});
  CHECK(over(options(true, true), 0) == std::vector<int32_t>{4, 5, 6, 0, 0, 0});
  CHECK(over(options(true, false, true), 1) == std::vector<int32_t>{1, 1, 2, 1, 4, 20});
}

TEST_CASE("cum_sum carries its total from block to block") {
  const std::vector<float> ones(700, 1);
  for (bool reverse : {false, true}) {
    OpResult r = run_op(options(false, reverse), {tensor<float>({700}, ones), tensor<int64_t>({1}, {0})});
    const auto y = r.out[0].values<float>();
    for (size_t i = 0; i < 700; ++i) CHECK(y[i] == static_cast<float>(reverse ? 700 - i : i + 1));
  }
}

TEST_CASE("cum_sum refuses an axis outside the rank and bool") {
  CHECK(run_op(options(false, false), {tensor<float>({1}, {1}), tensor<int64_t>({}, {1})}).status.code() ==
        Code::bad_file);
  CHECK(run_op(options(false, false), {tensor<uint8_t>({1}, {1}, DType::boolean), tensor<int64_t>({}, {0})})
            .status.code() == Code::unsupported);
}

}  // namespace pith
