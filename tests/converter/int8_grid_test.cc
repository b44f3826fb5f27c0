// Int8 grids, encoding, and the quantization error over weighted points.
#include "converter/quantize/int8_grid.h"

#include <doctest/doctest.h>

#include <cfloat>
#include <cmath>
#include <utility>

#include "converter/quantize/weighted_points.h"
#include "tests/support/distributions.h"
#include "tests/support/observed.h"

using namespace pith::quantize;
using namespace pith::testing;
using pith::Code;

TEST_CASE("int8 grid: known ranges give known scales and zero points, zero always a code") {
  struct Case {
    double low, high;
    float scale;
    int zero;
  };
  for (const Case& c :
       {Case{0, 255, 1, -128}, Case{-255, 0, 1, 127}, Case{-128, 127, 1, 0}, Case{2, 255, 1, -128},
        Case{-1, 1, 2.0f / 255, 0}, Case{-0.5, 254.5, 1, -128}, Case{5, 5, 5.0f / 255, -128}}) {
    CAPTURE(c.low);
    const auto r = grid_for_range(c.low, c.high, Symmetry::asymmetric);
    REQUIRE(r.is_ok());
    CHECK(r.value().note == GridNote::exact);
    CHECK(r.value().grid.scale == c.scale);
    CHECK(r.value().grid.zero_point == c.zero);
    CHECK(round_trip(0.0, r.value().grid) == 0.0);
  }
  const auto s = grid_for_range(-254, 100, Symmetry::symmetric).value();
  CHECK(s.grid.scale == 2.0f);
  CHECK(s.grid.zero_point == 0);
}

TEST_CASE("int8 grid: both ends of any range are representable within half a step and zero is exact") {
  Draw d(3);
  for (int i = 0; i < 2000; ++i) {
    const double a = d.laplace() * std::exp2(40 * d.uniform() - 20), b = d.laplace();
    for (const Symmetry s : {Symmetry::asymmetric, Symmetry::symmetric}) {
      const double low = std::min(a, b), high = std::max(a, b);
      const Int8Grid g = grid_for_range(low, high, s).value().grid;
      const double slack =
          g.scale * (0.5 + 1e-4);  // scale is stored as float: 255 steps drift by 255 * 2^-24 of one
      CHECK(std::fabs(round_trip(low, g) - low) <= slack);
      CHECK(std::fabs(round_trip(high, g) - high) <= slack);
      CHECK(round_trip(0.0, g) == 0.0);
    }
  }
}

TEST_CASE("int8 grid: degenerate ranges are named, impossible ones refused") {
  CHECK(grid_for_range(0, 0, Symmetry::asymmetric).value().note == GridNote::zero_range);
  CHECK(grid_for_range(0, 0, Symmetry::symmetric).value().grid.scale == 1.0f);
  const auto tiny = grid_for_range(-1e-38, 1e-38, Symmetry::asymmetric).value();
  CHECK(tiny.note == GridNote::tiny);
  CHECK(tiny.grid.scale == FLT_MIN);
  const auto huge = grid_for_range(-FLT_MAX, FLT_MAX, Symmetry::asymmetric).value();
  CHECK(std::isfinite(huge.grid.scale));
  CHECK(round_trip(FLT_MAX, huge.grid) == doctest::Approx(FLT_MAX).epsilon(0.01));
  for (const auto& [low, high] : {std::pair{NAN, 1.0f}, {0.0f, INFINITY}, {1.0f, -1.0f}}) {
    const auto r = grid_for_range(low, high, Symmetry::asymmetric);
    REQUIRE_FALSE(r.is_ok());
    CHECK(r.status().code() == Code::bad_argument);
  }
}

TEST_CASE("int8 grid: encoding rounds ties to even and saturates") {
  const Int8Grid g{1.0f, 0};
  CHECK(encode(0.5, g) == 0);
  CHECK(encode(1.5, g) == 2);
  CHECK(encode(-0.5, g) == 0);
  CHECK(encode(-2.5, g) == -2);
  CHECK(encode(1e9, g) == 127);
  CHECK(encode(-INFINITY, g) == -128);
  CHECK(encode(NAN, Int8Grid{1.0f, 7}) == 7);
  for (int q = -128; q <= 127; ++q) CHECK(encode(decode(static_cast<int8_t>(q), kUnitGrid), kUnitGrid) == q);
}

TEST_CASE("quantization error: the fast sum equals the plain definition") {
  const auto v = normals(5000, 0.2, 1.5, 9);
  const auto g = grid_for_range(-2, 3, Symmetry::asymmetric).value().grid;
  double sum = 0;
  for (const float x : v) sum += (x - round_trip(x, g)) * (x - round_trip(x, g));
  CHECK(mse_on(v, g) == doctest::Approx(sum / 5000).epsilon(1e-9));
}

TEST_CASE("weighted points: heavy bins are resolved by the sample and no mass is lost") {
  auto v = normals(20000, 0, 0.5, 4);
  v.push_back(5000.0f);  // one outlier: bins of 2, the whole bulk in two of them
  v.insert(v.end(), 1000, 0.0f);
  const Observed o(v);
  const auto points = weighted_points(o.histogram, o.reservoir.values());
  double mass = 0;
  for (const double w : points.weight) mass += w;
  CHECK(mass == doctest::Approx(20001));
  CHECK(points.total == 21001);
  CHECK(points.x.size() > 4000);
  const auto g = grid_for_range(-2, 2, Symmetry::asymmetric).value().grid;
  CHECK(quantization_mse(points, g) == doctest::Approx(mse_on(v, g)).epsilon(0.02));
}
