// Grids of 4-bit groups against plain restatements of the published formulas.
#include "converter/quantize/group_grid.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "converter/quantize/weight_groups.h"
#include "tests/support/distributions.h"

namespace pith {
namespace {

using quantize::find_grid;
using quantize::grid_error;
using quantize::GroupGrid;
using quantize::GroupMethod;

std::vector<double> doubles(const std::vector<float>& v) { return {v.begin(), v.end()}; }

// E[X^2] of inputs that differ much, as behind a layer norm with outliers.
std::vector<double> importance(size_t n, uint64_t seed) {
  std::vector<double> m = doubles(testing::laplaces(n, seed));
  for (double& v : m) v = v * v + 1e-3;
  return m;
}

// 19 starts, the codes of each, the gain of each: as the research says it, without any cleverness.
double searched_scale(const std::vector<double>& x, const std::vector<double>& m) {
  double most = 0;
  for (double v : x)
    if (std::abs(v) > std::abs(most)) most = v;
  double gain = 0, scale = 0;
  for (int k = -9; k <= 9; ++k) {
    double xq = 0, qq = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double q = std::clamp(std::nearbyint(x[i] * (1 / (most / (-8 + 0.1 * k)))), -8.0, 7.0);
      xq += m[i] * x[i] * q;
      qq += m[i] * q * q;
    }
    if (qq > 0 && xq * xq / qq > gain) gain = xq * xq / qq, scale = xq / qq;
  }
  // One start more than published: +-7, so that plain rounding is among the candidates.
  double xq = 0, qq = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double q = std::clamp(std::nearbyint(x[i] * (1 / (most / 7))), -8.0, 7.0);
    xq += m[i] * x[i] * q;
    qq += m[i] * q * q;
  }
  return xq * xq / qq > gain ? xq / qq : scale;
}

double probit(double p) {  // by bisection: no formula of ours
  double lo = -9, hi = 9;
  for (int i = 0; i < 200; ++i) {
    const double mid = (lo + hi) / 2;
    (0.5 * std::erfc(-mid / std::sqrt(2.0)) < p ? lo : hi) = mid;
  }
  return lo;
}

}  // namespace

TEST_CASE("the symmetric search finds the scale of its plain restatement, with importance and without") {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const std::vector<double> x = doubles(testing::normals(30 + seed, 0, 0.02, seed));
    const std::vector<double> even(x.size(), 1.0), m = importance(x.size(), seed);
    CHECK(find_grid(x, even, Layout::i4f16, GroupMethod::search).scale ==
          doctest::Approx(searched_scale(x, even)).epsilon(1e-12));
    CHECK(find_grid(x, m, Layout::i4s8, GroupMethod::search).scale ==
          doctest::Approx(searched_scale(x, m)).epsilon(1e-12));
  }
}

TEST_CASE("importance lowers the weighted error on every layout, and the search never loses to plain") {
  for (Layout layout : {Layout::i4f16, Layout::i4a, Layout::lut4}) {
    double even_error = 0, aware_error = 0;
    for (uint64_t seed = 1; seed <= 40; ++seed) {
      const std::vector<double> x = doubles(testing::normals(64, 0.3, 1, seed)), even(64, 1.0);
      const std::vector<double> m = importance(64, seed + 100);
      even_error += grid_error(x, m, find_grid(x, even, layout, GroupMethod::search));
      const double aware = grid_error(x, m, find_grid(x, m, layout, GroupMethod::search));
      aware_error += aware;
      CHECK(aware <= grid_error(x, m, find_grid(x, m, layout, GroupMethod::plain)) * (1 + 1e-12));
    }
    CAPTURE(static_cast<int>(layout));
    CAPTURE(aware_error / even_error);
    CHECK(aware_error < 0.95 * even_error);
  }
}

TEST_CASE("the asymmetric search is as good as trying every zero point with fine scales, but for 5 %") {
  double searched = 0, exhaustive = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const std::vector<double> x = doubles(testing::uniforms(48, -0.2, 0.7, seed)), m = importance(48, seed);
    searched += grid_error(x, m, find_grid(x, m, Layout::i4a, GroupMethod::search));
    double least = INFINITY;
    for (int zero = 0; zero < 16; ++zero)
      for (double scale = 0.03; scale < 0.09; scale += 0.0001)
        least = std::min(least, grid_error(x, m, {scale, zero}));
    exhaustive += least;
  }
  CAPTURE(searched / exhaustive);
  CHECK(searched < 1.05 * exhaustive);
}

TEST_CASE("HQQ lowers the mean error of heavy-tailed groups below that of plain rounding") {
  for (Layout layout : {Layout::i4f16, Layout::i4a, Layout::lut4}) {
    double plain_sum = 0, hqq_sum = 0;
    for (uint64_t seed = 1; seed <= 60; ++seed) {
      const std::vector<double> x = doubles(testing::laplaces(64, seed)), even(64, 1.0);
      const GroupMethod first = layout == Layout::i4f16 ? GroupMethod::signed_max : GroupMethod::plain;
      const auto mean_error = [&](GroupMethod method) {
        const GroupGrid g = find_grid(x, even, layout, method);
        double sum = 0;
        for (double v : x) sum += std::abs(v - g.nearest(v));
        return sum;
      };
      plain_sum += mean_error(first);
      hqq_sum += mean_error(GroupMethod::hqq);
    }
    CAPTURE(static_cast<int>(layout));
    CAPTURE(hqq_sum / plain_sum);
    CHECK(hqq_sum < plain_sum);
  }
}

TEST_CASE("NF4's levels are quantiles of the normal distribution to 1e-7, its codebook their 127ths") {
  constexpr double kDelta = 0.9677083;
  std::vector<double> levels{0};
  for (int i = 0; i < 8; ++i) levels.push_back(probit(kDelta + (0.5 - kDelta) * i / 8));
  for (int i = 0; i < 7; ++i) levels.push_back(-probit(kDelta + (0.5 - kDelta) * i / 7));
  std::sort(levels.begin(), levels.end());
  REQUIRE(levels.size() == 16);
  const double top = levels.back();
  for (size_t i = 0; i < 16; ++i) {
    // The published levels are rounded to float, and delta has seven digits: 1.5e-7 together.
    CHECK(std::abs(quantize::nf4_levels()[i] - levels[i] / top) < 1.5e-7);
    CHECK(quantize::nf4_table().book[i] == std::lround(127 * quantize::nf4_levels()[i]));
  }
}

TEST_CASE(
    "FP4's levels are the numbers of a sign, two bits of exponent and one of mantissa, twice as large") {
  std::vector<double> numbers;
  for (const int sign : {-1, 1})
    for (int exponent = 0; exponent < 4; ++exponent)
      for (int mantissa = 0; mantissa < 2; ++mantissa)
        numbers.push_back(sign *
                          (exponent == 0 ? 0.5 * mantissa : std::ldexp(1 + 0.5 * mantissa, exponent - 1)));
  std::sort(numbers.begin(), numbers.end());
  for (size_t i = 0; i < 16; ++i) CHECK(quantize::fp4_table().book[i] == 2 * numbers[i]);
  CHECK(quantize::known_table(quantize::fp4_table().book) == &quantize::fp4_table());
  CHECK(quantize::known_table(std::vector<int8_t>(16, 3)) == nullptr);
}

TEST_CASE("a table's codes are its nearest levels, the lower of two as near") {
  for (const quantize::LevelTable* table : {&quantize::nf4_table(), &quantize::fp4_table()}) {
    const GroupGrid g{0.5, 8, table};
    const auto& book = table->book;
    for (int code = 0; code < 16; ++code) {
      CHECK(g.value_of(g.code_of(g.value_of(code))) == g.value_of(code));
      const auto at = static_cast<size_t>(code);
      if (code == 15 || book[at] == book[at + 1]) continue;
      const double middle = 0.25 * (book[at] + book[at + 1]);
      CHECK(g.code_of(middle) == code);
      CHECK(g.code_of(std::nextafter(middle, 100)) == code + 1);
    }
  }
}

TEST_CASE("importance that cannot be is refused, columns never seen still get the nearest codes") {
  const std::vector<float> w = testing::normals(2 * 64);
  std::vector<double> m(64, 1.0);
  const auto run = [&](std::span<const double> by) {
    return quantize::quantize_groups(w, 2, 64, {.layout = Layout::i4f16, .importance = by});
  };
  CHECK_FALSE(run(std::span(m).first(63)).is_ok());
  m[5] = NAN;
  CHECK(run(m).status().message().find("column 5") != std::string::npos);
  m[5] = -1;
  CHECK_FALSE(run(m).is_ok());
  std::fill(m.begin() + 3, m.begin() + 32, 0.0);
  m[5] = 0;
  const auto q = run(m);
  REQUIRE(q.is_ok());
  for (size_t i = 0; i < 64; ++i) {
    const GroupGrid g = q.value().grid(0, i / 32);
    CHECK(std::abs(w[i] - q.value().weight(0, i)) <= std::abs(w[i] - g.nearest(w[i])) + 1e-12);
  }
  const std::vector<double> none(64, 0.0);
  CHECK(run(none).value().codes == run({}).value().codes);
}

TEST_CASE("codes do not depend on the number of threads") {
  const std::vector<float> w = testing::normals(37 * 300, 0, 0.05, 3);
  const auto pool = ThreadPool::create(2);
  for (GroupMethod method : {GroupMethod::plain, GroupMethod::search, GroupMethod::hqq})
    for (Layout layout : {Layout::i4s8, Layout::lut4}) {
      quantize::GroupOptions o{layout, 64, method};
      const auto one = quantize::quantize_groups(w, 37, 300, o);
      o.pool = pool.get();
      const auto two = quantize::quantize_groups(w, 37, 300, o);
      REQUIRE(one.is_ok());
      CHECK(one.value().codes == two.value().codes);
      CHECK(one.value().small_scales == two.value().small_scales);
      CHECK(one.value().noise == two.value().noise);
    }
}

}  // namespace pith
