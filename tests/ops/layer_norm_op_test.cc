// LayerNorm and RmsNorm: values worked out in double, optional inputs and outputs, refusals.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"

namespace pith {

TEST_CASE("layer_norm gives rows of mean 0 and variance 1, scaled and shifted, and its statistics") {
  const size_t n = 37;
  std::vector<float> x(2 * n), scale(n), bias(n);
  for (size_t i = 0; i < 2 * n; ++i) x[i] = 1000 + static_cast<float>(i * i % 17);
  for (size_t i = 0; i < n; ++i) scale[i] = static_cast<float>(i), bias[i] = 0.5f;
  schema::LayerNormOptionsT o;
  OpRunSettings settings;
  settings.outputs = 3;
  OpResult r =
      run_op(o, {tensor<float>({2, 37}, x), tensor<float>({37}, scale), tensor<float>({37}, bias)}, settings);
  REQUIRE(r.status.message() == "");
  CHECK(r.out[1].shape == Shape{2, 1});
  for (size_t row = 0; row < 2; ++row) {
    double mean = 0, var = 0;
    for (size_t i = 0; i < n; ++i) mean += static_cast<double>(x[row * n + i]) / n;
    for (size_t i = 0; i < n; ++i) var += std::pow(static_cast<double>(x[row * n + i]) - mean, 2) / n;
    const double inverse = 1 / std::sqrt(var + 1e-5);
    CHECK(r.out[1].values<float>()[row] == doctest::Approx(mean).epsilon(1e-7));
    CHECK(r.out[2].values<float>()[row] == doctest::Approx(inverse).epsilon(1e-6));
    for (size_t i = 0; i < n; ++i) {
      const double exact =
          (static_cast<double>(x[row * n + i]) - mean) * inverse * static_cast<double>(i) + 0.5;
      // the mean is rounded to float once: 2^-24 * 1000 * inverse * scale
      CHECK(std::fabs(static_cast<double>(r.out[0].values<float>()[row * n + i]) - exact) <
            1e-6 * std::fabs(exact) + 6e-5 * inverse * static_cast<double>(i + 1));
    }
  }
}

TEST_CASE("layer_norm over several axes takes a scale of the normalized dims") {
  schema::LayerNormOptionsT o;
  o.axis = 1;
  OpResult r = run_op(o, {tensor<float>({1, 2, 2}, {1, 3, 1, 3}), tensor<float>({2, 2}, {1, 1, 2, 2})});
  REQUIRE(r.status.message() == "");
  CHECK(r.out[0].values<float>()[3] == doctest::Approx(2).epsilon(1e-4));
  CHECK(run_op(o, {tensor<float>({1, 2, 2}, {1, 3, 1, 3}), tensor<float>({2}, {1, 1})}).status.code() ==
        Code::unsupported);
}

TEST_CASE("rms_norm divides by the root mean square") {
  schema::RmsNormOptionsT o;
  o.epsilon = 0;
  OpResult r = run_op(o, {tensor<float>({2, 2}, {3, 4, -5, 5}), tensor<float>({2}, {1, 2})});
  REQUIRE(r.status.message() == "");
  const double rms = std::sqrt(12.5);
  CHECK(r.out[0].values<float>()[0] == doctest::Approx(3 / rms));
  CHECK(r.out[0].values<float>()[1] == doctest::Approx(8 / rms));
  CHECK(r.out[0].values<float>()[2] == doctest::Approx(-1));
  o.epsilon = -1;
  CHECK(run_op(o, {tensor<float>({1}, {3}), tensor<float>({1}, {1})}).status.code() == Code::bad_file);
}

}  // namespace pith
