// The tournament between range candidates, and SQNR.
#include "converter/quantize/tournament.h"

#include <doctest/doctest.h>

#include <cfloat>
#include <cmath>
#include <vector>

#include "converter/quantize/weighted_points.h"
#include "tests/support/distributions.h"
#include "tests/support/observed.h"

using namespace pith::quantize;
using namespace pith::testing;

TEST_CASE("tournament: the least error wins, ties go to the earlier, margins are recorded") {
  const auto c = Observed(normals(10000)).candidates().ranges;
  const std::vector<double> errors = {4, 2, 8, 2, NAN, 3};
  size_t at = 0;
  const auto t = run_tournament(c, [&](const Int8Grid&) { return errors[at++]; });
  REQUIRE(t.is_ok());
  CHECK(t.value().winner == 1);
  CHECK(t.value().margin == 1.0);
  CHECK(t.value().gain_over_first == 2.0);
  CHECK(t.value().entries.size() == 6);
  CHECK(std::isinf(t.value().entries[4].error));
  at = 0;
  const auto kept =
      run_tournament(c, [&](const Int8Grid&) { return errors[at++]; }, {.must_beat_first_by = 0.5});
  CHECK(kept.value().winner == 0);  // 2 is not below 4 * 0.5
  CHECK(kept.value().margin == 0.5);
}

TEST_CASE("tournament: an empty list and a table of NaN are refused") {
  CHECK_FALSE(run_tournament({}, [](const Int8Grid&) { return 0.0; }).is_ok());
  const auto c = Observed(normals(100)).candidates().ranges;
  CHECK_FALSE(run_tournament(c, [](const Int8Grid&) { return NAN; }).is_ok());
}

TEST_CASE("SQNR: known ratios and silent signals") {
  CHECK(sqnr_db(100, 1) == doctest::Approx(20));
  CHECK(std::isinf(sqnr_db(1, 0)));
  CHECK(sqnr_db(0, 0) == 0);
  // A full-range uniform signal at 8 bits: 6.02 * 8 = 48.2 dB.
  const auto v = uniforms(100000, -1, 1);
  const auto g = grid_for_range(-1, 1, Symmetry::asymmetric).value().grid;
  const auto p = weighted_points(v);
  CHECK(sqnr_db(p.power() / p.total, quantization_mse(p, g)) == doctest::Approx(48.16).epsilon(0.01));
}

TEST_CASE("tournament: held-back data clip an outlier that does not return and keep a uniform range") {
  auto fit = normals(50000, 0, 1, 61);
  fit.push_back(100.0f);
  const auto judge = [](const std::vector<float>& seen, const std::vector<float>& held) {
    const auto points = weighted_points(held);
    return run_tournament(Observed(seen).candidates().ranges,
                          [&](const Int8Grid& g) { return quantization_mse(points, g); })
        .value();
  };
  const auto clipped = judge(fit, normals(5000, 0, 1, 62));
  CHECK(clipped.winner != 0);
  CHECK(clipped.gain_over_first > 20);  // min-max spends 104 / 8 times the step: about 13^2 in error
  const auto wide = judge(uniforms(50000, -1, 1, 63), uniforms(5000, -1, 1, 64));
  CHECK(wide.best().candidate.high > 0.99);
}
