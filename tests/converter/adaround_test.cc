// Learned rounding: against every combination of codes where that can be tried, and its promises where it cannot.
#include "converter/quantize/adaround.h"

#include <doctest/doctest.h>

#include <cmath>

#include "converter/quantize/weight_groups.h"
#include "tests/support/correlated_rows.h"

namespace pith {
namespace {

using namespace quantize;
using testing::correlated_rows;
using testing::moments_of;
using testing::normals;

std::vector<float> decoded(const RoundingGrid& grid, const std::vector<int8_t>& codes) {
  std::vector<float> w;
  for (size_t i = 0; i < codes.size(); ++i) {
    const size_t groups = (grid.k + grid.group - 1) / grid.group,
                 at = i / grid.k * groups + i % grid.k / grid.group;
    w.push_back(static_cast<float>(grid.step[at] * (codes[i] - grid.zero[at])));
  }
  return w;
}

}  // namespace

TEST_CASE(
    "learned rounding comes within 2 % of the best of all floors and ceilings, the nearest codes do not") {
  constexpr size_t kColumns = 10;
  double best_sum = 0, nearest_sum = 0, learned_sum = 0;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    const Moments m = moments_of(correlated_rows(100, kColumns, seed), kColumns);
    const std::vector<float> w = normals(kColumns, 0, 1, seed + 50);
    const RoundingGrid grid{1, kColumns, kColumns, {0.4}, {0}, -127, 127};
    std::vector<int8_t> nearest;
    for (const float v : w) nearest.push_back(static_cast<int8_t>(std::lround(v / 0.4)));
    double best = INFINITY;
    for (unsigned bits = 0; bits < 1u << kColumns; ++bits) {
      std::vector<int8_t> codes;
      for (size_t j = 0; j < kColumns; ++j)
        codes.push_back(static_cast<int8_t>(std::floor(w[j] / 0.4) + (bits >> j & 1)));
      best = std::min(best, proxy_loss(w, decoded(grid, codes), 1, m));
    }
    std::vector<int8_t> codes = nearest;
    const auto r = adaround(w, grid, m, {}, nullptr, &codes);
    REQUIRE_MESSAGE(r.is_ok(), r.status().message());
    const double loss = proxy_loss(w, decoded(grid, codes), 1, m);
    CHECK(r.value().loss_after == doctest::Approx(loss).epsilon(1e-5));
    CHECK(r.value().loss_before ==
          doctest::Approx(proxy_loss(w, decoded(grid, nearest), 1, m)).epsilon(1e-5));
    best_sum += best, learned_sum += loss, nearest_sum += r.value().loss_before;
  }
  MESSAGE("loss: nearest " << nearest_sum << ", learned " << learned_sum << ", best " << best_sum);
  CHECK(learned_sum < 1.02 * best_sum);  // moves by more than one may even beat it
  CHECK(nearest_sum > 1.5 * best_sum);
}

TEST_CASE(
    "learned rounding of int8 and 4-bit codes: less loss, also on held-back rows, and Adam adds to the "
    "descent") {
  constexpr size_t kRows = 24, kColumns = 96;
  const std::vector<float> w = normals(kRows * kColumns, 0, 0.1, 5), x = correlated_rows(900, kColumns, 9);
  const Moments fit = moments_of({x.begin(), x.begin() + 700 * kColumns}, kColumns);
  const Moments judge = moments_of({x.begin() + 700 * kColumns, x.end()}, kColumns);
  const auto pool = ThreadPool::create(2);
  const auto int8 = quantize_weights({w, 1, kRows, kColumns}, {}).value();
  const auto int4 = quantize_groups(w, kRows, kColumns, {Layout::i4s8, 32}).value();
  struct Case {
    RoundingGrid grid;
    std::vector<int8_t> codes;
  };
  for (const Case& c : {Case{rounding_grid(int8, kRows, kColumns), int8.codes},
                        Case{rounding_grid(int4).value(), int4.codes}}) {
    std::vector<int8_t> learned = c.codes, threaded = c.codes, descended = c.codes;
    const auto r = adaround(w, c.grid, fit, {}, nullptr, &learned);
    REQUIRE(adaround(w, c.grid, fit, {}, pool.get(), &threaded).is_ok());
    const auto d = adaround(w, c.grid, fit, {.steps = 0}, nullptr, &descended);
    CHECK(learned == threaded);
    CHECK(r.value().moved > 0);
    CHECK(d.value().loss_after < 0.7 * d.value().loss_before);
    CHECK(r.value().loss_after <= d.value().loss_after);
    CHECK(r.value().learned_rows > 0);
    const double before = proxy_loss(w, decoded(c.grid, c.codes), kRows, judge);
    const double after = proxy_loss(w, decoded(c.grid, learned), kRows, judge);
    MESSAGE("codes " << c.grid.low << ".." << c.grid.high << ": fit " << r.value().loss_before
                     << " -> descent " << d.value().loss_after << " -> learned " << r.value().loss_after
                     << "; held back " << before << " -> " << after << "; " << r.value().learned_rows
                     << " rows learned");
    CHECK(after < 0.7 * before);
    for (const int8_t code : learned) {
      CHECK(code >= c.grid.low);
      CHECK(code <= c.grid.high);
    }
  }
}

TEST_CASE("groups without a step keep their codes; tables and extents that do not fit are refused") {
  const Moments m = moments_of(correlated_rows(50, 8, 2), 8);
  const std::vector<float> w = normals(8);
  RoundingGrid grid{1, 8, 4, {0, 0.5}, {0, 0}, -8, 7};
  std::vector<int8_t> codes = {1, 2, 3, 4, 0, 0, 0, 0};
  REQUIRE(adaround(w, grid, m, {}, nullptr, &codes).is_ok());
  CHECK(std::vector<int8_t>(codes.begin(), codes.begin() + 4) == std::vector<int8_t>{1, 2, 3, 4});
  grid.step.pop_back();
  CHECK_FALSE(adaround(w, grid, m, {}, nullptr, &codes).is_ok());
  CHECK_FALSE(rounding_grid(GroupRows(2, 32, Layout::lut4, 32)).is_ok());
}

}  // namespace pith
