// 4-bit weights: the scale search meets the figures known for Gaussian weights, and stored numbers are what is judged.
#include "converter/quantize/weight_groups.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include "kernels/gemm/panel_pack.h"

namespace pith {
namespace {

using quantize::GroupedWeights;
using quantize::GroupOptions;

constexpr size_t kN = 64, kK = 4096;

std::vector<float> gaussian(size_t count, unsigned seed = 7) {
  std::mt19937 rng(seed);
  std::normal_distribution<float> normal(0.0f, 0.02f);
  std::vector<float> w(count);
  for (float& v : w) v = normal(rng);
  return w;
}

GroupedWeights quantized(const std::vector<float>& w, size_t n, size_t k, const GroupOptions& o) {
  Result<GroupedWeights> q = quantize::quantize_groups(w, n, k, o);
  REQUIRE(q.is_ok());
  return std::move(q).value();
}

// What the packed bytes say the weights are.
std::vector<float> stored(const GroupedWeights& q, size_t n, size_t k, const GroupOptions& o) {
  const PanelMatrix m{o.layout, static_cast<uint16_t>(o.group), n, k};
  REQUIRE(panel_fault(m) == nullptr);
  std::vector<uint8_t> bytes(static_cast<size_t>(panel_matrix_bytes(m)));
  kernels::pack_panels(m, q.source(), bytes.data());
  std::vector<float> back(n * k);
  kernels::unpack_weights(m, bytes.data(), q.codebook.data(), back.data());
  return back;
}

double sqnr(const std::vector<float>& w, const std::vector<float>& back) {
  double signal = 0, noise = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    signal += static_cast<double>(w[i]) * w[i];
    noise += (static_cast<double>(w[i]) - back[i]) * (static_cast<double>(w[i]) - back[i]);
  }
  return 10 * std::log10(signal / noise);
}

}  // namespace

TEST_CASE(
    "Gaussian weights keep the signal-to-noise ratio known for each method, layout and group, as packed") {
  using enum quantize::GroupMethod;
  struct Row {
    std::string name;
    Layout layout;
    quantize::GroupMethod method;
    double db[3];  // groups of 32, 64, 128
    bool exactly;  // else a search where the table has none: at least
    const quantize::LevelTable* levels = &quantize::nf4_table();
  };
  // research/compression.md 3(c)
  const Row rows[] = {
      {"+-7 absmax", Layout::i4f16, plain, {20.35, 19.42, 18.62}, true},
      {"signed max", Layout::i4f16, signed_max, {21.36, 20.49, 19.74}, true},
      {"integer zero point", Layout::i4a, plain, {21.80, 20.85, 19.97}, false},
      {"search", Layout::i4f16, search, {21.88, 20.96, 20.28}, true},
      {"search, s8 scales", Layout::i4s8, search, {21.88, 20.96, 20.28}, true},
      {"search, zero point", Layout::i4a, search, {21.80, 20.96, 20.28}, false},
      {"NF4", Layout::lut4, plain, {21.22, 20.77, 20.39}, true},
      {"NF4 search", Layout::lut4, search, {21.22, 20.77, 20.39}, false},
      {"NF4, s8 scales", Layout::lut4s8, plain, {21.22, 20.77, 20.39}, true},
      // not in that table: a NumPy script of nine lines
      {"FP4", Layout::lut4, plain, {19.90, 19.52, 19.26}, true, &quantize::fp4_table()},
      {"FP4 search", Layout::lut4, search, {19.90, 19.52, 19.26}, false, &quantize::fp4_table()}};
  const std::vector<float> w = gaussian(kN * kK);
  for (const Row& row : rows)
    for (size_t i = 0; i < 3; ++i) {
      const GroupOptions o{
          .layout = row.layout, .group = size_t{32} << i, .method = row.method, .levels = row.levels};
      const GroupedWeights q = quantized(w, kN, kK, o);
      const double db = sqnr(w, stored(q, kN, kK, o));
      CAPTURE(row.name);
      CAPTURE(o.group);
      CAPTURE(db);
      CHECK(db > row.db[i] - 0.15);
      if (row.exactly) CHECK(db < row.db[i] + 0.15);
      MESSAGE(row.name << ", group " << o.group << ": " << db << " dB, known " << row.db[i]);
      CHECK(q.sqnr_db() == doctest::Approx(db).epsilon(1e-3));
    }
}

TEST_CASE("the searched scale beats the plain signed maximum") {
  const std::vector<float> w = gaussian(32 * 50, 9);
  const GroupOptions o{Layout::i4f16, 32};
  const double searched = quantized(w, 50, 32, o).noise;
  double plain = 0;
  for (size_t g = 0; g < 50; ++g) {
    float most = 0;
    for (size_t i = 0; i < 32; ++i)
      if (std::abs(w[g * 32 + i]) > std::abs(most)) most = w[g * 32 + i];
    for (size_t i = 0; i < 32; ++i) {
      const double s = static_cast<double>(most) / -8, x = w[g * 32 + i];
      const double d = x - s * std::clamp(std::nearbyint(x / s), -8.0, 7.0);
      plain += d * d;
    }
  }
  CHECK(searched < 0.93 * plain);
}

TEST_CASE("dead channels, dead groups, single weights and short last groups are exact or close") {
  for (Layout layout : {Layout::i4s8, Layout::i4a, Layout::i4f16, Layout::lut4}) {
    const GroupOptions o{layout, 32};
    CAPTURE(static_cast<int>(layout));
    std::vector<float> w(3 * 70, 0.0f);  // channel 1 stays dead; group 1 of channel 0 too
    for (size_t i = 0; i < 32; ++i) w[i] = 0.01f * static_cast<float>(i) - 0.1f;
    for (size_t i = 64; i < 70; ++i) w[i] = 0.3f;
    w[2 * 70 + 69] = -5.0f;
    const std::vector<float> back = stored(quantized(w, 3, 70, o), 3, 70, o);
    for (size_t i = 70; i < 140; ++i) CHECK(back[i] == 0.0f);
    for (size_t i = 32; i < 64; ++i) CHECK(back[i] == 0.0f);
    CHECK(back[2 * 70 + 69] == doctest::Approx(-5.0).epsilon(2e-3));
    CHECK(back[66] == doctest::Approx(0.3).epsilon(1e-2));
  }
}

TEST_CASE("weights that are not finite are refused by place, scales no half can hold too") {
  std::vector<float> w = gaussian(2 * 64);
  w[70] = std::numeric_limits<float>::infinity();
  const auto bad = quantize::quantize_groups(w, 2, 64, {Layout::i4s8, 32});
  REQUIRE_FALSE(bad.is_ok());
  CHECK(bad.status().message().find("[1, 6]") != std::string::npos);
  w[70] = 3e30f;
  CHECK(quantize::quantize_groups(w, 2, 64, {Layout::i4s8, 32}).is_ok());
  CHECK_FALSE(quantize::quantize_groups(w, 2, 64, {Layout::i4f16, 32}).is_ok());
}

}  // namespace pith
