// InstanceNorm: channels first, last and in the middle agree with the definition; refusals.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"

namespace pith {

TEST_CASE("instance_norm normalizes every channel wherever the channel axis is") {
  const int64_t dims[] = {2, 5, 70, 3};
  std::vector<float> x(2 * 5 * 70 * 3);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * i % 41) * 0.25f;
  for (int axis = 1; axis < 4; ++axis) {
    const auto channels = static_cast<size_t>(dims[axis]);
    std::vector<float> scale(channels), bias(channels);
    for (size_t c = 0; c < channels; ++c)
      scale[c] = 1 + static_cast<float>(c), bias[c] = -static_cast<float>(c);
    schema::InstanceNormOptionsT o;
    o.channel_axis = axis;
    OpRunSettings two;
    two.threads = 2;
    OpResult r = run_op(o,
                        {tensor<float>({2, 5, 70, 3}, x), tensor<float>({dims[axis]}, scale),
                         tensor<float>({dims[axis]}, bias)},
                        two);
    REQUIRE(r.status.message() == "");
    CHECK_FALSE(r.overrun);
    const size_t inner = axis == 3 ? 1 : axis == 2 ? 3 : 210, image = 1050;
    std::vector<double> sum(2 * channels), squares(2 * channels);
    auto group = [&](size_t i) { return i / image * channels + i / inner % channels; };
    const double count = static_cast<double>(image) / static_cast<double>(channels);
    for (size_t i = 0; i < x.size(); ++i) sum[group(i)] += static_cast<double>(x[i]) / count;
    for (size_t i = 0; i < x.size(); ++i)
      squares[group(i)] += std::pow(static_cast<double>(x[i]) - sum[group(i)], 2) / count;
    const auto y = r.out[0].values<float>();
    for (size_t i = 0; i < x.size(); ++i) {
      const size_t g = group(i), c = g % channels;
      const double exact = (static_cast<double>(x[i]) - sum[g]) / std::sqrt(squares[g] + 1e-5) *
                               (1.0 + static_cast<double>(c)) -
                           static_cast<double>(c);
      CHECK(y[i] == doctest::Approx(exact).epsilon(1e-5).scale(1 + static_cast<double>(c)));
    }
  }
}

TEST_CASE("instance_norm refuses a batch axis as channel and parameters of another length") {
  schema::InstanceNormOptionsT o;
  o.channel_axis = 0;
  CHECK(run_op(o, {tensor<float>({1, 2}, {1, 2})}).status.code() == Code::bad_file);
  o.channel_axis = 1;
  CHECK(run_op(o, {tensor<float>({1, 2}, {1, 2}), tensor<float>({3}, {1, 1, 1})}).status.code() ==
        Code::bad_file);
}

}  // namespace pith
