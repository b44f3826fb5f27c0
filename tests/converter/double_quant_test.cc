// Scales of scales: the bits a file then takes, hardly any loss on Gaussian weights, and where it is not worth while.
#include <doctest/doctest.h>

#include <cmath>

#include "converter/quantize/gptq.h"
#include "tests/support/distributions.h"

namespace pith {

using namespace quantize;
using testing::normals;

TEST_CASE("double quantization takes 4.13 bits a weight in groups of 64, where halves take 4.25") {
  const auto bits = [](Layout layout, uint16_t group) {
    return 8 * static_cast<double>(panel_matrix_bytes({layout, group, 4096, 4096})) / (4096.0 * 4096);
  };
  CHECK(bits(Layout::lut4s8, 64) == doctest::Approx(4.125 + 64.0 / 4096));  // scale and bias of a channel
  CHECK(bits(Layout::lut4, 64) == doctest::Approx(4.25 + 32.0 / 4096));
  CHECK(bits(Layout::lut4s8, 32) == doctest::Approx(bits(Layout::lut4, 64)).epsilon(0.002));
  CHECK(stored_layout(Layout::lut4, 32, 8 * 64, 64) == Layout::lut4s8);
  CHECK(stored_layout(Layout::lut4, 32, 2 * 64, 64) == Layout::lut4);  // a float per channel for two halves
}

TEST_CASE("tables with double quantized scales lose less than 0.05 dB, and zeros stay zero") {
  std::vector<float> w = normals(64 * 1024, 0, 0.02, 3);
  for (size_t i = 128; i < 192; ++i) w[i] = 0;
  for (const LevelTable* levels : {&nf4_table(), &fp4_table()})
    for (const GroupMethod method : {GroupMethod::plain, GroupMethod::search, GroupMethod::hqq}) {
      GroupOptions o{.layout = Layout::lut4, .group = 64, .method = method, .levels = levels};
      const auto once = quantize_groups(w, 64, 1024, o);
      o.layout = Layout::lut4s8;
      const auto twice = quantize_groups(w, 64, 1024, o);
      REQUIRE(twice.is_ok());
      MESSAGE(levels->name << " " << once.value().sqnr_db() << " dB, double quantized "
                           << twice.value().sqnr_db() << " dB");
      CHECK(twice.value().sqnr_db() > once.value().sqnr_db() - 0.05);
      CHECK(twice.value().sqnr_db() != once.value().sqnr_db());
      for (size_t i = 128; i < 192; ++i) CHECK(twice.value().weight(0, i) == 0);
    }
}

}  // namespace pith
