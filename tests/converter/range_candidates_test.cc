// Range candidates: known answers, degenerate data, comparison with brute force and with literal definitions.
#include "converter/quantize/range_candidates.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "tests/support/distributions.h"
#include "tests/support/observed.h"

using namespace pith::quantize;
using namespace pith::testing;

namespace {

RangeCandidate find(const RangeCandidates& c, RangeMethod m) {
  for (const auto& r : c.ranges)
    if (r.method == m) return r;
  FAIL("candidate missing");
  return c.ranges[0];
}

// Least error over a dense grid of range ends: what any search may hope for.
double brute_force(const std::vector<float>& v, Interval full, Symmetry s) {
  const auto points = weighted_points(v);
  full.high = std::max(full.high, 0.0);
  double least = INFINITY;
  for (int i = 0; i <= 64; ++i) {
    for (int j = 0; j <= 64; ++j) {
      const double low = full.low * std::exp2(-i / 12.0), high = full.high * std::exp2(-j / 12.0);
      const auto g = grid_for_range(low, high, s);
      least = std::min(least, quantization_mse(points, g.value().grid));
      if (full.high <= 0 || s == Symmetry::symmetric) break;
    }
    if (full.low >= 0) {
      // only the high end matters: let i drive it instead
      const auto g = grid_for_range(0, full.high * std::exp2(-i / 12.0), s);
      least = std::min(least, quantization_mse(points, g.value().grid));
    }
  }
  return least;
}

}  // namespace

TEST_CASE("min-max: covers the extremes exactly and comes first") {
  const auto v = normals(10000, 1, 2, 11);
  const Observed o(v);
  const auto c = o.candidates();
  CHECK(c.note == RangeNote::regular);
  CHECK(c.ranges.size() == 6);
  CHECK(c.ranges[0].method == RangeMethod::min_max);
  CHECK(c.ranges[0].low == *std::min_element(v.begin(), v.end()));
  CHECK(c.ranges[0].high == *std::max_element(v.begin(), v.end()));
  CHECK(c.ranges[0].label() == "min_max");
  CHECK(c.ranges[2].label() == "percentile_99.99");
}

TEST_CASE("every candidate lies inside min-max, contains zero and has a sane grid") {
  for (const auto& v :
       {uniforms(20000, -1, 1), normals(20000), laplaces(20000), relu(normals(20000)), uniforms(5000, 3, 4),
        uniforms(5000, -4, -3), normals(20000, 0, 1e-20), normals(20000, 0, 1e30)}) {
    const Observed o(v);
    for (const Symmetry s : {Symmetry::asymmetric, Symmetry::symmetric}) {
      const RangeCandidates all = o.candidates(s);
      for (const auto& r : all.ranges) {
        CAPTURE(r.label());
        CHECK(r.low <= 0);
        CHECK(r.high >= 0);
        CHECK(r.low >= std::min(0.0f, o.histogram.min()));
        CHECK(r.high <= std::max(0.0f, o.histogram.max()));
        CHECK(r.high > r.low);
        CHECK(r.grid.scale >= FLT_MIN);
        if (s == Symmetry::symmetric) CHECK(r.grid.zero_point == 0);
      }
    }
  }
}

TEST_CASE("percentile: keeps its share of the data, split over two tails or cut from the only one") {
  const auto v = uniforms(100000, -1, 1);
  const Observed two(v), one(relu(v)), skew(uniforms(100000, -1, 3));
  RangeOptions options;
  options.percents = {90};
  const auto range = [&](const Observed& o, Symmetry s) {
    options.symmetry = s;
    return range_candidates(o.histogram, {}, options).value().ranges[1];
  };
  CHECK(range(two, Symmetry::asymmetric).low == doctest::Approx(-0.9).epsilon(0.01));
  CHECK(range(two, Symmetry::asymmetric).high == doctest::Approx(0.9).epsilon(0.01));
  CHECK(range(two, Symmetry::symmetric).high == doctest::Approx(0.9).epsilon(0.01));
  CHECK(range(one, Symmetry::asymmetric).high ==
        doctest::Approx(0.8).epsilon(0.01));  // half are zeros, and kept
  CHECK(range(one, Symmetry::asymmetric).low == 0);
  CHECK(range(skew, Symmetry::symmetric).high == doctest::Approx(2.6).epsilon(0.01));
  CHECK(range(skew, Symmetry::symmetric).low == doctest::Approx(-1).epsilon(0.01));
}

TEST_CASE("folding: mirrors the negative mass exactly and rebins to the bound") {
  Histogram h;
  const std::vector<float> v = {-1.5f, 1.25f, -3.0f, 2.0f, 0.0f};
  h.add(v);
  const auto f = fold(h, 2048);
  double mass = 0;
  for (const double m : f.mass) mass += m;
  CHECK(mass == 4);
  CHECK(f.mass.size() <= 2048);
  CHECK(f.mass.size() > 1000);
  Histogram far;
  far.add(uniforms(100, 1000, 1001));  // narrow band far from zero: the folded bins start at 0
  const auto g = fold(far, 64);
  CHECK(g.mass.size() <= 64);
  CHECK(g.mass.back() > 0);
}

TEST_CASE("KL: uniform data are not clipped") {
  const Observed o(uniforms(200000, -1, 1));
  CHECK(find(o.candidates(), RangeMethod::kl).high > 0.97);
}

TEST_CASE("KL: an outlier of a long tail is clipped and the bulk is not") {
  auto v = normals(200000, 0, 1, 21);
  v.push_back(60.0f);
  const Observed o(v);
  const auto kl = find(o.candidates(), RangeMethod::kl);
  CHECK(kl.high < 12);
  CHECK(kl.high > 3);
}

TEST_CASE("KL: agrees with a literal evaluation of its definition") {
  // 12 bins, 4 levels: small enough to write D(t) out with exact fractional groups.
  const FoldedHistogram f{1.0, {40, 30, 22, 0, 9, 8, 5, 0, 2, 1, 0, 1}};
  const auto literal = [&](size_t t) {
    constexpr size_t kFine =
        4;  // every bin in quarters: with 4 levels all group edges t * g / 4 fall on them
    std::vector<double> q(t, 0.0);
    for (size_t g = 0; g < 4; ++g) {
      double mass = 0, present = 0;
      for (size_t u = g * t; u < (g + 1) * t; ++u) {
        mass += f.mass[u / kFine] / kFine;
        present += f.mass[u / kFine] > 0 ? 1.0 / kFine : 0.0;
      }
      for (size_t u = g * t; u < (g + 1) * t; ++u)
        if (f.mass[u / kFine] > 0) q[u / kFine] += mass / present / kFine;
    }
    double inside = 0, total = 118, d = 0;
    for (size_t i = 0; i < t; ++i) inside += f.mass[i];
    for (size_t i = 0; i < t; ++i) {
      const double p = (f.mass[i] + (i + 1 == t ? total - inside : 0)) / total;
      if (p > 0) d += p * std::log(p / (q[i] > 0 ? q[i] / inside : 1e-4));
    }
    return d;
  };
  size_t best = 12;
  for (size_t t = 11; t >= 4; --t)
    if (literal(t) < literal(best)) best = t;
  CHECK(kl_threshold(f, 4) == (best == 12 ? 12.0 : static_cast<double>(best) + 0.5));
  CHECK(kl_threshold(f, 12) == 12.0);  // as many steps as bins: no loss to weigh
  CHECK(kl_threshold({1.0, std::vector<double>(300, 0.0)}, 128) == 300.0);
}

TEST_CASE("MSE: a Gaussian is clipped near the published optimum for 8 bits") {
  // ACIQ gives 3.92 sigma as the optimal clip of an endless Gaussian at 8 bits.
  const Observed o(normals(400000, 0, 1, 31));
  const auto mse = find(o.candidates(Symmetry::symmetric), RangeMethod::mse);
  CHECK(mse.high == doctest::Approx(3.92).epsilon(0.05));
}

TEST_CASE("MSE: within a hair of brute force, and never worse than min-max, on every distribution") {
  auto spiked = normals(6000, 0, 1, 41);
  spiked.push_back(30.0f);
  auto swish = normals(6000, 0, 2, 42);
  for (float& x : swish) x = x / (1 + std::exp(-x));
  struct Case {
    const char* name;
    std::vector<float> values;
  };
  for (const Case& c :
       {Case{"uniform", uniforms(6000, -1, 1)}, Case{"normal", normals(6000)},
        Case{"laplace", laplaces(6000)}, Case{"relu", relu(laplaces(6000))}, Case{"spiked", spiked},
        Case{"swish", swish}, Case{"negative", uniforms(6000, -5, -1)}}) {
    for (const Symmetry s : {Symmetry::asymmetric, Symmetry::symmetric}) {
      CAPTURE(c.name);
      CAPTURE(static_cast<int>(s));
      const auto points = weighted_points(c.values);
      const Interval full{*std::min_element(c.values.begin(), c.values.end()),
                          *std::max_element(c.values.begin(), c.values.end())};
      const Interval found = least_mse_range(points, full, s);
      const double error = quantization_mse(points, grid_for_range(found.low, found.high, s).value().grid);
      const double widest = quantization_mse(points, grid_for_range(full.low, full.high, s).value().grid);
      CHECK(error <= widest);
      CHECK(error <= 1.03 * brute_force(c.values, full, s));
      CHECK(found.low >= full.low);
      CHECK(found.high <= std::max(full.high, 0.0));
    }
  }
}

TEST_CASE("MSE from the histogram is as good on the raw data as a search on the raw data") {
  auto v = laplaces(100000, 51);
  v.push_back(3000.0f);  // stretches the bins to 1: only the sample still sees the bulk
  for (const auto& values : {normals(100000), laplaces(100000), relu(normals(100000)), v}) {
    const Observed o(values);
    const auto c = find(o.candidates(), RangeMethod::mse);
    const Interval direct = least_mse_range(weighted_points(values), {o.histogram.min(), o.histogram.max()},
                                            Symmetry::asymmetric);
    const auto g = grid_for_range(direct.low, direct.high, Symmetry::asymmetric).value().grid;
    CHECK(mse_on(values, c.grid) <= 1.05 * mse_on(values, g));
  }
}

TEST_CASE("degenerate data keep only min-max and say why") {
  struct Case {
    std::vector<float> values;
    RangeNote note;
  };
  for (const Case& c : {Case{{}, RangeNote::empty}, Case{std::vector<float>(9, 0.0f), RangeNote::all_zero},
                        Case{std::vector<float>(9, -2.5f), RangeNote::constant},
                        Case{{1e-38f, -1e-39f, 0}, RangeNote::tiny}, Case{{FLT_TRUE_MIN}, RangeNote::tiny}}) {
    const auto r = Observed(c.values).candidates();
    CAPTURE(name_of(r.note));
    CHECK(r.note == c.note);
    CHECK(r.ranges.size() == 1);
    CHECK(r.ranges[0].grid.scale >= FLT_MIN);
  }
  const auto constant = Observed(std::vector<float>(9, -2.5f)).candidates();
  CHECK(round_trip(-2.5, constant.ranges[0].grid) == doctest::Approx(-2.5).epsilon(1e-6));
}

TEST_CASE("NaN or infinity in the data stops the choice") {
  Histogram h;
  const std::vector<float> v = {1.0f, std::nanf("")};
  h.add(v);
  const auto r = range_candidates(h, {}, {});
  REQUIRE_FALSE(r.is_ok());
  CHECK(r.status().message().find("1 NaN and 0 infinite values among 2") != std::string::npos);
  RangeOptions o;
  o.percents = {0.999};
  CHECK_FALSE(range_candidates(Histogram(), {}, o).is_ok());
}
