// LpNorm: both norms, both layouts of the axis, zeros, refusals.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

namespace pith {

TEST_CASE("lp_norm divides lines by their norm and leaves lines of zeros") {
  schema::LpNormOptionsT o;
  const TestTensor x = tensor<float>({2, 2}, {3, 4, 0, 0});
  CHECK(run_op(o, {x}).out[0].values<float>() == std::vector<float>{0.6f, 0.8f, 0, 0});
  o.axis = 0;
  CHECK(run_op(o, {x}).out[0].values<float>() == std::vector<float>{1, 1, 0, 0});
  o.p = 1;
  o.axis = 1;
  CHECK(run_op(o, {tensor<float>({1, 2}, {-1, 3})}).out[0].values<float>() ==
        std::vector<float>{-0.25f, 0.75f});
}

TEST_CASE("lp_norm refuses other norms") {
  schema::LpNormOptionsT o;
  o.p = 3;
  CHECK(run_op(o, {tensor<float>({1}, {1})}).status.code() == Code::unsupported);
}

}  // namespace pith
