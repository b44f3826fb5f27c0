// LocalResponseNorm: windows at both ends, channels first and last, refusals.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"

namespace pith {

TEST_CASE("local_response_norm divides by the energy of the window around each channel") {
  schema::LocalResponseNormOptionsT o;
  o.size = 4;  // one channel below, two above
  o.alpha = 8;
  o.beta = 0.5f;
  o.bias = 1;
  const std::vector<float> x = {1, 2, 3, 4, 5};
  for (bool last : {false, true}) {
    o.channel_axis = last ? -1 : 1;
    OpResult r = run_op(o, {last ? tensor<float>({1, 1, 5}, x) : tensor<float>({1, 5, 1, 1}, x)});
    REQUIRE(r.status.message() == "");
    const auto y = r.out[0].values<float>();
    const double energy[] = {1 + 4 + 9, 1 + 4 + 9 + 16, 4 + 9 + 16 + 25, 9 + 16 + 25, 16 + 25};
    for (size_t c = 0; c < 5; ++c) CHECK(y[c] == doctest::Approx(x[c] / std::sqrt(1 + 2 * energy[c])));
  }
}

TEST_CASE("local_response_norm refuses a window of nothing") {
  CHECK(run_op(schema::LocalResponseNormOptionsT(), {tensor<float>({1, 1}, {1})}).status.code() ==
        Code::bad_file);
}

}  // namespace pith
