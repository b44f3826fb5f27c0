// Bias correction: the known shift is found, noise is rejected, the weight-based form agrees with brute
// force.
#include "converter/quantize/bias_correction.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/distributions.h"

using namespace pith::quantize;
using namespace pith::testing;

TEST_CASE("channel moments: means and second moments of interleaved channels over batches") {
  ChannelMoments m(2);
  CHECK(m.means() == std::vector<double>{0, 0});
  const std::vector<float> a = {1, 10, 3, 20}, b = {5, 30};
  REQUIRE(m.add(a).is_ok());
  REQUIRE(m.add(b).is_ok());
  CHECK(m.rows() == 3);
  CHECK(m.means() == std::vector<double>{3, 20});
  CHECK(m.second_moments()[0] == doctest::Approx(35.0 / 3));
  CHECK_FALSE(m.add(std::vector<float>{1}).is_ok());
}

TEST_CASE("bias correction: finds a planted shift per channel and reports the error before and after") {
  const auto exact = normals(3 * 4000, 0, 1, 1), noise = normals(3 * 4000, 0, 0.01, 2);
  auto quantized = exact;
  const float shift[3] = {0.5f, -0.25f, 0.0f};
  for (size_t i = 0; i < exact.size(); ++i) quantized[i] += shift[i % 3] + noise[i];
  ChannelError fit(3), held(3);
  const size_t half = exact.size() / 2;
  REQUIRE(fit.add(std::span(exact).first(half), std::span(quantized).first(half)).is_ok());
  REQUIRE(held.add(std::span(exact).subspan(half), std::span(quantized).subspan(half)).is_ok());
  const auto r = correct_bias(fit, held);
  REQUIRE(r.is_ok());
  const auto& b = r.value();
  // The mean of 2000 noise values: sigma 0.01 / sqrt(2000) = 2.2e-4; 5 sigma.
  CHECK(std::fabs(b.delta[0] + 0.5f) < 1.2e-3);
  CHECK(std::fabs(b.delta[1] - 0.25f) < 1.2e-3);
  CHECK(std::fabs(b.delta[2]) < 1.2e-3);
  CHECK(b.mse_before == doctest::Approx((0.25 + 0.0625) / 3 + 1e-4).epsilon(0.02));
  CHECK(b.mse_after == doctest::Approx(1e-4).epsilon(0.1));
}

TEST_CASE("bias correction: never raises the held-back error; a shift that does not return is rejected") {
  ChannelError fit(2), held(2);
  REQUIRE(fit.add(std::vector<float>{0, 0, 0, 0}, std::vector<float>{1, 1, 1, 1}).is_ok());
  REQUIRE(held.add(std::vector<float>{0, 0, 0, 0}, std::vector<float>{-1, 1, -1, 0.5f}).is_ok());
  const auto b = correct_bias(fit, held).value();
  CHECK(b.delta[0] == 0);
  CHECK(b.delta[1] == -1);
  CHECK(b.accepted == 1);
  CHECK(b.rejected == 1);
  CHECK(b.mse_after <= b.mse_before);
  CHECK(held.mse_after(1, 1.0) == doctest::Approx((0 + 0.25) / 2));
}

TEST_CASE("bias correction: missing data, mismatched sizes and NaN are refused") {
  ChannelError a(2), b(3), c(2);
  CHECK_FALSE(correct_bias(a, b).is_ok());
  CHECK_FALSE(correct_bias(a, c).is_ok());
  CHECK_FALSE(a.add(std::vector<float>{1, 2}, std::vector<float>{1, 2, 3, 4}).is_ok());
  CHECK_FALSE(a.add(std::vector<float>{1}, std::vector<float>{1}).is_ok());
  REQUIRE(a.add(std::vector<float>{1, 1}, std::vector<float>{NAN, 1}).is_ok());
  REQUIRE(c.add(std::vector<float>{1, 1}, std::vector<float>{1, 1}).is_ok());
  CHECK_FALSE(correct_bias(a, c).is_ok());
}

TEST_CASE("weight shift: equals the mean output error of a dense layer") {
  constexpr size_t kRows = 5, kInputs = 40, kTokens = 200;
  const auto w = normals(kRows * kInputs, 0, 0.3, 3);
  const auto x = uniforms(kTokens * kInputs, 0, 2, 4);
  const ChannelView view{w, 1, kRows, kInputs};
  const auto q = quantize_weights(view, {}).value();
  ChannelMoments moments(kInputs);
  REQUIRE(moments.add(x).is_ok());
  const auto shift = weight_shift(view, q, moments.means());
  REQUIRE(shift.is_ok());
  for (size_t r = 0; r < kRows; ++r) {
    double mean = 0;
    for (size_t t = 0; t < kTokens; ++t)
      for (size_t j = 0; j < kInputs; ++j)
        mean += (static_cast<double>(q.codes[r * kInputs + j]) * q.scales[r] - w[r * kInputs + j]) *
                x[t * kInputs + j] / kTokens;
    CHECK(shift.value()[r] == doctest::Approx(mean).epsilon(1e-9));
  }
}

TEST_CASE("weight shift: convolutions repeat the input means over taps, depthwise takes its own channel's") {
  const std::vector<float> conv = {0.3f, 0.7f, 1.0f, -0.4f};  // 1 output, 2 taps, 2 input channels
  auto q = quantize_weights({conv, 1, 1, 4}, {}).value();
  const std::vector<double> mean = {2, 3};
  double expected = 0;
  for (size_t i = 0; i < 4; ++i)
    expected += (static_cast<double>(q.codes[i]) * q.scales[0] - conv[i]) * mean[i % 2];
  CHECK(weight_shift({conv, 1, 1, 4}, q, mean).value()[0] == doctest::Approx(expected));
  q = quantize_weights({conv, 2, 2, 1}, {}).value();  // 2 taps, 2 channels
  expected = ((static_cast<double>(q.codes[1]) * q.scales[1] - conv[1]) +
              (static_cast<double>(q.codes[3]) * q.scales[1] - conv[3])) *
             3;
  CHECK(weight_shift({conv, 2, 2, 1}, q, mean).value()[1] == doctest::Approx(expected));
  CHECK_FALSE(weight_shift({conv, 1, 1, 4}, q, std::vector<double>{1, 2, 3}).is_ok());
}
