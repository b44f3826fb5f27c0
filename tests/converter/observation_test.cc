// Observations: fit and judge stay apart, merged tensors get a grid for all, bad data are refused.
#include "converter/quantize/observation.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/distributions.h"

using namespace pith::quantize;
using namespace pith::testing;

TEST_CASE(
    "observation: an outlier among the fitting items does not stretch the grid that the judges choose") {
  Observation o;
  auto fit = normals(40000, 0, 1, 1);
  fit.push_back(200.0f);
  o.add_fit(fit);
  o.add_judge(normals(10000, 0, 1, 2));
  const auto r = decide_range(o, {}, {});
  REQUIRE(r.is_ok());
  CHECK(r.value().grid.high() < 8);
  CHECK(r.value().sqnr_db > 35);
  CHECK(r.value().outside_share < 1e-3);
  CHECK(r.value().tournament.gain_over_first > 100);
}

TEST_CASE("observation: judging values beyond the grid are counted by their share") {
  Observation o;
  o.add_fit(uniforms(1000, 0, 1));
  std::vector<float> judge = uniforms(900, 0, 1, 3);
  judge.insert(judge.end(), 100, 2.0f);
  o.add_judge(judge);
  RangeOptions min_max_only{Symmetry::asymmetric, {}, false, false};
  CHECK(decide_range(o, min_max_only, {}).value().outside_share == doctest::Approx(0.1));
  CHECK(judge_grid(o, grid_for_range(0, 2, Symmetry::asymmetric).value().grid).value().outside_share == 0);
}

TEST_CASE("observation: merging covers all members and keeps every sample") {
  Observation a, b;
  a.add_fit(uniforms(3000, 0, 1, 1));
  a.add_judge(uniforms(1000, 0, 1, 2));
  b.add_fit(uniforms(3000, -4, 0, 3));
  b.add_judge(uniforms(1000, -4, 0, 4));
  a.merge(b);
  CHECK(a.fit.count() == 6000);
  CHECK(a.judge.count() == 2000);
  CHECK(a.fit_extra.size() == 3000);
  const auto d = decide_range(a, {}, {}).value();
  CHECK(d.grid.low() == doctest::Approx(-4).epsilon(0.02));
  CHECK(d.grid.high() == doctest::Approx(1).epsilon(0.05));
  CHECK(d.sqnr_db > 45);
}

TEST_CASE("observation: nothing seen and non-finite values are refused; silence is exact") {
  Observation empty, broken, silent;
  CHECK_FALSE(decide_range(empty, {}, {}).is_ok());
  broken.add_fit(std::vector<float>{1, 2});
  broken.add_judge(std::vector<float>{1, NAN});
  CHECK_FALSE(decide_range(broken, {}, {}).is_ok());
  silent.add_fit(std::vector<float>(10, 0.0f));
  silent.add_judge(std::vector<float>(10, 0.0f));
  const auto d = decide_range(silent, {}, {}).value();
  CHECK(d.note == RangeNote::all_zero);
  CHECK(d.grid.scale == 1.0f);
  CHECK(std::isinf(d.sqnr_db));
}
