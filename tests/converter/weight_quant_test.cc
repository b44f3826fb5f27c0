// Int8 weights, int32 biases and the float16 audit: known codes, oracles, overflow guards.
#include "converter/quantize/weight_quant.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>

#include "converter/quantize/bias_quant.h"
#include "converter/quantize/half_audit.h"
#include "tests/support/distributions.h"

using namespace pith::quantize;
using namespace pith::testing;
using pith::Code;

namespace {

double decode_error(const std::vector<float>& w, const ChannelView& v, const QuantizedWeights& q) {
  double sum = 0;
  for (size_t o = 0; o < v.outer; ++o)
    for (size_t c = 0; c < v.channels; ++c)
      for (size_t i = 0; i < v.inner; ++i) {
        const size_t at = v.index(o, c, i);
        const double e = w[at] - static_cast<double>(q.codes[at]) * q.scales[q.scales.size() == 1 ? 0 : c];
        sum += e * e;
      }
  return sum;
}

}  // namespace

TEST_CASE("weights: a small matrix gets the codes worked out by hand") {
  const std::vector<float> w = {127, -63.5f, 0, 1.27f, -2.54f, 0.635f};
  const auto r = quantize_weights({w, 1, 2, 3}, {});
  REQUIRE(r.is_ok());
  const auto& q = r.value();
  CHECK(q.codes ==
        std::vector<int8_t>{127, -64, 0, 64, -127, 32});  // -63.5 ties to even: -64; 1.27 / 0.02 = 63.5
  CHECK(q.scales[0] == 1.0f);
  CHECK(q.scales[1] == doctest::Approx(0.02));
  CHECK(code_sums(q.codes, {w, 1, 2, 3}) == std::vector<int32_t>{63, -31});
}

TEST_CASE("weights: channels-last filters use their own channel's scale") {
  const std::vector<float> w = {127, 1.27f, -127, 0.01f, 64, -1.27f};  // [3 taps][2 channels]
  const ChannelView v{w, 3, 2, 1};
  const auto q = quantize_weights(v, {}).value();
  CHECK(q.scales[0] == 1.0f);
  CHECK(q.scales[1] == doctest::Approx(0.01));
  CHECK(q.codes == std::vector<int8_t>{127, 127, -127, 1, 64, -127});
}

TEST_CASE("weights: never -128, SQNR of a Gaussian as theory says, searched never worse") {
  const auto w = normals(64 * 576, 0, 0.05, 5);
  const ChannelView v{w, 1, 64, 576};
  const auto absmax = quantize_weights(v, {}).value();
  const auto mse = quantize_weights(v, {.rule = ScaleRule::mse}).value();
  const auto one = quantize_weights(v, {.per_channel = false}).value();
  for (const auto* q : {&absmax, &mse, &one}) {
    CHECK(*std::min_element(q->codes.begin(), q->codes.end()) >= -127);
    double power = 0;
    for (const float x : w) power += double{x} * x;
    CHECK(q->sqnr_db == doctest::Approx(10 * std::log10(power / decode_error(w, v, *q))).epsilon(1e-6));
    CHECK(q->channel_sqnr_db[q->worst_channel] ==
          *std::min_element(q->channel_sqnr_db.begin(), q->channel_sqnr_db.end()));
  }
  // Step = max / 127; the mean largest of 576 Gaussians is about 3.2 sigma: 10 log10(12 * (127 / 3.2)^2)
  // = 42.8 dB.
  CHECK(absmax.sqnr_db == doctest::Approx(42.8).epsilon(0.02));
  CHECK(mse.sqnr_db >= absmax.sqnr_db);
  CHECK(absmax.sqnr_db > one.sqnr_db);
  CHECK(one.scales.size() == 1);
  for (size_t c = 0; c < 64; ++c) CHECK(mse.channel_sqnr_db[c] >= absmax.channel_sqnr_db[c]);
}

TEST_CASE("weights: the searched scale is within 0.05 dB of a dense search on a heavy-tailed row") {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const auto w = laplaces(1000, seed);
    const auto q = quantize_weights({w, 1, 1, 1000}, {.rule = ScaleRule::mse}).value();
    double top = 0, power = 0, least = INFINITY;
    for (const float x : w) top = std::max(top, std::fabs(double{x})), power += double{x} * x;
    for (int i = 0; i < 4000; ++i) {
      const double s = top / 127 * (1 - 0.8 * i / 4000);
      double e = 0;
      for (const float x : w) {
        const double d = x - std::clamp(std::nearbyint(x / s), -127.0, 127.0) * s;
        e += d * d;
      }
      least = std::min(least, e);
    }
    CHECK(q.sqnr_db >= 10 * std::log10(power / least) - 0.05);
  }
}

TEST_CASE("weights: dead channels get scale 1, extremes stay finite") {
  const std::vector<float> w = {0, 0, FLT_MAX, -FLT_MAX, 1e-38f, -1e-38f, FLT_TRUE_MIN, 0};
  for (const ScaleRule rule : {ScaleRule::absmax, ScaleRule::mse}) {
    const auto q = quantize_weights({w, 1, 4, 2}, {.rule = rule}).value();
    CHECK(q.dead_channels == 1);
    CHECK(q.scales[0] == 1.0f);
    CHECK(q.codes[2] == 127);
    CHECK(q.codes[3] == -127);
    for (const float s : q.scales) {
      CHECK(s >= FLT_MIN);
      CHECK(std::isfinite(s));
    }
  }
}

TEST_CASE("weights: broken input is refused with the channel named") {
  std::vector<float> w = {1, 2, 3, std::nanf("")};
  auto r = quantize_weights({w, 1, 2, 2}, {});
  REQUIRE_FALSE(r.is_ok());
  CHECK(r.status().message().find("channel 1") != std::string::npos);
  CHECK_FALSE(quantize_weights({w, 1, 2, 3}, {}).is_ok());
  CHECK_FALSE(quantize_weights({w, SIZE_MAX, 2, 2}, {}).is_ok());
  w[3] = 4;
  const std::vector<float> floor = {0.1f};
  CHECK_FALSE(quantize_weights({w, 1, 2, 2}, {.scale_floor = floor}).is_ok());
  CHECK(quantize_weights({{}, 1, 0, 0}, {}).is_ok());
}

TEST_CASE("bias: codes are the rounded steps, and one scale serves all channels") {
  const std::vector<float> bias = {1.0f, -0.126f, 0.0f}, scales = {0.5f, 0.25f, 1.0f}, one = {0.5f};
  CHECK(quantize_bias(bias, 0.125f, scales).value() == std::vector<int32_t>{16, -4, 0});
  CHECK(quantize_bias(bias, 0.125f, one).value() == std::vector<int32_t>{16, -2, 0});
}

TEST_CASE("bias: overflow is refused by channel, and the scale floor cures it") {
  const std::vector<float> w = {0.1f, -0.2f, 1e-12f, 2e-12f}, bias = {1.0f, 50.0f};
  const float input_scale = 0.02f;
  auto q = quantize_weights({w, 1, 2, 2}, {}).value();
  const auto refused = quantize_bias(bias, input_scale, q.scales);
  REQUIRE_FALSE(refused.is_ok());
  CHECK(refused.status().code() == Code::unsupported);
  CHECK(refused.status().message().find("channel 1") != std::string::npos);
  const auto floor = bias_scale_floor(bias, input_scale).value();
  q = quantize_weights({w, 1, 2, 2}, {.scale_floor = floor}).value();
  CHECK(q.widened_channels == 1);
  const auto codes = quantize_bias(bias, input_scale, q.scales);
  REQUIRE(codes.is_ok());
  CHECK(static_cast<double>(codes.value()[1]) * input_scale * q.scales[1] ==
        doctest::Approx(50).epsilon(1e-6));
}

TEST_CASE("bias: the floor is never below the bound for any bias and scale") {
  Draw d(8);
  for (int i = 0; i < 5000; ++i) {
    const std::vector<float> b = {static_cast<float>(d.laplace() * std::exp2(40 * d.uniform() - 20))};
    const auto in = static_cast<float>(std::exp2(-40 * d.uniform()));
    const auto floor = bias_scale_floor(b, in).value();
    if (floor[0] == 0) continue;
    CHECK(quantize_bias(b, in, floor).is_ok());
  }
  const std::vector<float> huge = {FLT_MAX};
  CHECK_FALSE(bias_scale_floor(huge, 1e-30f).is_ok());
  CHECK_FALSE(bias_scale_floor(huge, 0.0f).is_ok());
  CHECK_FALSE(bias_scale_floor(std::vector<float>{NAN}, 1.0f).is_ok());
}

TEST_CASE("accumulators: the bound is exact at its edge") {
  const std::vector<int8_t> codes(66311, 127);  // 66311 * 127 * 255 = 2147481735 <= 2^31 - 1 = 2147483647
  const ChannelView shape{{}, 1, 1, codes.size()};
  CHECK(check_accumulators(codes, shape, {}).is_ok());
  CHECK(check_accumulators(codes, shape, std::vector<int32_t>{1912}).is_ok());
  const auto over = check_accumulators(codes, shape, std::vector<int32_t>{-1913});
  CHECK_FALSE(over.is_ok());
  CHECK(over.message().find("channel 0") != std::string::npos);
}

TEST_CASE("bfloat16 audit: only the largest floats overflow, only floats' own subnormals are subnormal") {
  const std::vector<float> v = {0, 1, 65520, -1e30f, 3.4e38f, 3.3e38f, 0x1p-126f, 1e-39f, 1e-45f};
  const auto a = audit_half(v, pith::DType::bf16);
  CHECK(a.count == 9);
  CHECK(a.overflow == 1);           // 3.4e38 is nearer to infinity than to 255 * 2^120
  CHECK(a.subnormal == 1);          // 1e-39
  CHECK(a.underflow_to_zero == 1);  // 1e-45 is 2^-149, far below half of 2^-133
  const auto one = audit_half(uniforms(10000, 1, 2), pith::DType::bf16);
  CHECK(one.max_relative_error <= 0x1p-8);
  CHECK(one.max_relative_error > 0x1p-8 * 0.95);
}

TEST_CASE("float16 audit: each fate is counted once") {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> v = {0,     1,     65504,   65519.9f, 65520,     -1e6f, 0x1p-14f, 1e-5f,
                                1e-7f, 1e-9f, -1e-30f, 0x1p-24f, -0x1p-25f, inf,   NAN};
  const auto a = audit_half(v);
  CHECK(a.count == 15);
  CHECK(a.not_finite == 2);
  CHECK(a.overflow == 2);           // 65520, -1e6
  CHECK(a.subnormal == 3);          // 1e-5, 1e-7, 2^-24
  CHECK(a.underflow_to_zero == 3);  // 1e-9, -1e-30, and 2^-25, a tie that goes to even zero
  CHECK(a.largest == 1e6);
  CHECK_FALSE(a.safe());
  const auto normal = audit_half(normals(10000));
  CHECK(normal.safe());
  CHECK(normal.max_abs_error <= 0x1p-10);  // |x| < 4
  const auto one = audit_half(uniforms(10000, 1, 2));
  CHECK(one.max_relative_error <= 0x1p-11);
  CHECK(one.max_relative_error > 0x1p-11 * 0.95);
  auto sum = one;
  sum.merge(a);
  CHECK(sum.count == 10015);
  CHECK(sum.overflow == 2);
  CHECK(sum.largest == 1e6);
  CHECK(audit_half({}).safe());
}
