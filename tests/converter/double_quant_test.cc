// Scales of scales: the published bits, errors below half a step, and hardly any loss on Gaussian weights.
#include "converter/quantize/double_quant.h"

#include <doctest/doctest.h>

#include <cmath>

#include "converter/quantize/gptq.h"
#include "tests/support/distributions.h"

namespace pith {

using namespace quantize;
using testing::normals;

TEST_CASE("double quantized scales are within half a step of their block, at the published bits") {
  std::vector<double> scales;
  for (size_t i = 0; i < 600; ++i)
    scales.push_back(1 + 0.3 * std::sin(double(i)) + (i >= 256 && i < 512 ? 2 : 0));
  const DoubleQuantized d = double_quantize(scales);
  REQUIRE(d.block_scales.size() == 3);
  const std::vector<double> back = decoded(d);
  for (size_t i = 0; i < scales.size(); ++i)
    CHECK(std::abs(back[i] - scales[i]) <= 0.5001 * double{d.block_scales[i / 256]});
  CHECK(d.block_scales[1] > d.block_scales[2]);
  CHECK(double_quantized_bits(size_t{64} * 256 * 100, 64) == doctest::Approx(4.127).epsilon(1e-4));
  CHECK(double_quantize({}).codes.empty());
  CHECK(decoded(double_quantize(std::vector<double>(5, 0.25))) == std::vector<double>(5, 0.25));
}

TEST_CASE(
    "NF4 with double quantization loses less than 0.05 dB, zeros stay zero, other layouts are refused") {
  std::vector<float> w = normals(64 * 1024, 0, 0.02, 3);
  for (size_t i = 128; i < 192; ++i) w[i] = 0;
  GroupOptions o{Layout::lut4, 64, GroupMethod::plain};
  const auto once = quantize_groups(w, 64, 1024, o);
  o.double_quantized = true;
  const auto twice = quantize_groups(w, 64, 1024, o);
  REQUIRE(twice.is_ok());
  MESSAGE("NF4 " << once.value().sqnr_db() << " dB, double quantized " << twice.value().sqnr_db() << " dB");
  CHECK(twice.value().sqnr_db() > once.value().sqnr_db() - 0.05);
  CHECK(twice.value().sqnr_db() != once.value().sqnr_db());
  for (size_t i = 128; i < 192; ++i) CHECK(twice.value().weight(0, i) == 0);
  o.layout = Layout::i4s8;
  CHECK_FALSE(quantize_groups(w, 64, 1024, o).is_ok());
  o.layout = Layout::lut4;
  CHECK_FALSE(quantize_gptq(w, 64, 1024, o, Moments(1024, true)).is_ok());
}

}  // namespace pith
