// Histogram and reservoir: mass is conserved whatever the order, the growth or the split of the data.
#include "converter/quantize/histogram.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cfloat>
#include <limits>
#include <numeric>

#include "converter/quantize/reservoir.h"
#include "tests/support/distributions.h"

using namespace pith::quantize;
using namespace pith::testing;

namespace {

uint64_t binned(const Histogram& h) {
  uint64_t n = 0;
  for (const Bin& b : h.bins()) n += b.count;
  return n;
}

void check_same_bins(const Histogram& a, const Histogram& b) {
  const auto x = a.bins(), y = b.bins();
  REQUIRE(x.size() == y.size());
  for (size_t i = 0; i < x.size(); ++i) {
    CHECK(x[i].lower == y[i].lower);
    CHECK(x[i].width == y[i].width);
    CHECK(x[i].count == y[i].count);
    CHECK(x[i].sum == doctest::Approx(y[i].sum));
  }
}

double exact_quantile(std::vector<float> v, double p) {
  std::sort(v.begin(), v.end());
  const double rank = std::ceil(p * static_cast<double>(v.size()));
  return v[static_cast<size_t>(std::clamp(rank, 1.0, static_cast<double>(v.size()))) - 1];
}

}  // namespace

TEST_CASE("histogram: an empty one answers zeros") {
  Histogram h;
  h.add({});
  CHECK(h.empty());
  CHECK(h.min() == 0);
  CHECK(h.max() == 0);
  CHECK(h.mean() == 0);
  CHECK(h.second_moment() == 0);
  CHECK(h.quantile(0.5) == 0);
  CHECK(h.bins().empty());
}

TEST_CASE("histogram: known values land with exact counts, extremes and moments") {
  Histogram h;
  const std::vector<float> v = {0.0f, -1.5f, 3.0f, 0.0f, -0.0f, 3.0f};
  h.add(v);
  CHECK(h.count() == 6);
  CHECK(h.zeros() == 3);
  CHECK(h.min() == -1.5f);
  CHECK(h.max() == 3.0f);
  CHECK(h.mean() == doctest::Approx(0.75));
  CHECK(h.second_moment() == doctest::Approx((1.5 * 1.5 + 18) / 6));
  const auto bins = h.bins();
  REQUIRE(bins.size() == 2);
  CHECK(bins[0].count == 1);
  CHECK(bins[1].count == 2);
  CHECK(bins[1].mean() == 3.0);
  CHECK(bins[1].lower <= 3.0);
  CHECK(bins[1].lower + bins[1].width > 3.0);
}

TEST_CASE("histogram: growth by many doublings keeps every count and every bin's values inside it") {
  Histogram h(64);
  uint64_t added = 0;
  for (int e = -120; e <= 120; e += 3) {
    const auto v = uniforms(50, -std::ldexp(1.0, e), std::ldexp(2.0, e), static_cast<uint64_t>(e + 200));
    h.add(v);
    added += v.size();
    CHECK(h.count() == added);
    CHECK(binned(h) == added);
    CHECK(h.bins().size() <= h.capacity());
    for (const Bin& b : h.bins()) {
      CHECK(b.mean() >= b.lower - 1e-9 * std::fabs(b.lower));
      CHECK(b.mean() <= (b.lower + b.width) * (1 + 1e-9));
    }
  }
}

TEST_CASE(
    "histogram: the bins do not depend on the order of the data nor on how they are split over merges") {
  auto v = normals(20000, 0.3, 2.0, 7);
  v.insert(v.end(), 500, 0.0f);
  v.push_back(40.0f);
  Histogram whole, one_by_one, left, right, reversed;
  whole.add(v);
  for (const float& x : v) one_by_one.add({&x, 1});
  check_same_bins(whole, one_by_one);
  left.add(std::span(v).first(3000));
  right.add(std::span(v).subspan(3000));
  left.merge(right);
  check_same_bins(whole, left);
  CHECK(left.count() == whole.count());
  CHECK(left.zeros() == whole.zeros());
  CHECK(left.min() == whole.min());
  CHECK(left.max() == whole.max());
  CHECK(left.mean() == doctest::Approx(whole.mean()));
  std::reverse(v.begin(), v.end());
  reversed.add(v);
  check_same_bins(whole, reversed);
}

TEST_CASE("histogram: merging keeps all mass when bin counts and magnitudes differ") {
  Histogram fine(4096), coarse(32);
  fine.add(uniforms(1000, -1e-3, 1e-3));
  coarse.add(uniforms(1000, 100, 5000));
  Histogram a = fine, b = coarse, empty;
  a.merge(coarse);
  b.merge(fine);
  CHECK(binned(a) == 2000);
  CHECK(binned(b) == 2000);
  CHECK(b.bins().size() <= 32);
  a.merge(a);
  CHECK(a.count() == 4000);
  CHECK(binned(a) == 4000);
  empty.merge(coarse);
  check_same_bins(empty, coarse);
  Histogram into_fresh_finer(4096);
  into_fresh_finer.merge(coarse);
  CHECK(binned(into_fresh_finer) == 1000);
  check_same_bins(into_fresh_finer, coarse);
}

TEST_CASE("histogram: NaN and infinities are counted and kept out of everything else") {
  Histogram h;
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> v = {1.0f, inf, -inf, std::nanf(""), 2.0f, -inf};
  h.add(v);
  CHECK(h.count() == 2);
  CHECK(h.nans() == 1);
  CHECK(h.infinities() == 3);
  CHECK_FALSE(h.all_finite());
  CHECK(h.max() == 2.0f);
  CHECK(h.mean() == 1.5);
}

TEST_CASE("histogram: extremes of float stay exact") {
  for (const float big : {FLT_MAX, 1e38f, 1e-38f, FLT_TRUE_MIN}) {
    CAPTURE(big);
    Histogram h;
    const std::vector<float> v = {big, -big, big / 2};
    h.add(v);
    CHECK(h.min() == -big);
    CHECK(h.max() == big);
    CHECK(binned(h) + h.zeros() == 3);
    CHECK(h.quantile(1.0) == big);
    CHECK(h.quantile(0.0) == -big);
    CHECK(std::isfinite(h.second_moment()));
  }
  Histogram both;
  const std::vector<float> v = {FLT_MAX, FLT_TRUE_MIN, -FLT_TRUE_MIN};
  both.add(v);
  CHECK(binned(both) == 3);
}

TEST_CASE("histogram: a constant far from zero is one bin with the exact mean") {
  Histogram h;
  h.add(std::vector<float>(1000, 12345.678f));
  REQUIRE(h.bins().size() == 1);
  CHECK(h.bins()[0].mean() == doctest::Approx(12345.678f).epsilon(1e-12));
  CHECK(h.quantile(0.3) == 12345.678f);
}

TEST_CASE("histogram: a quantile is within one bin of the sorted data's") {
  struct Case {
    const char* name;
    std::vector<float> values;
  };
  for (const Case& c : {Case{"uniform", uniforms(30000, -3, 5)}, Case{"normal", normals(30000)},
                        Case{"laplace", laplaces(30000)}, Case{"relu", relu(normals(30000))},
                        Case{"negative", uniforms(1000, -7, -2)}}) {
    CAPTURE(c.name);
    Histogram h;
    h.add(c.values);
    for (const double p : {0.0001, 0.001, 0.1, 0.4, 0.5, 0.6, 0.9, 0.999, 0.9999, 0.99999}) {
      CAPTURE(p);
      CHECK(std::fabs(h.quantile(p) - exact_quantile(c.values, p)) <= h.width());
    }
  }
}

TEST_CASE("histogram: zeros sit between the negative and the positive mass in quantiles") {
  Histogram h;
  std::vector<float> v(100, 0.0f);
  for (int i = 0; i < 50; ++i) v.push_back(-1.0f), v.push_back(1.0f);
  h.add(v);
  CHECK(h.quantile(0.2) == doctest::Approx(-1).epsilon(0.001));
  CHECK(h.quantile(0.3) == 0);
  CHECK(h.quantile(0.7) == 0);
  CHECK(h.quantile(0.8) == doctest::Approx(1).epsilon(0.001));
  Histogram negative;
  const std::vector<float> n = {-1.0f, 0.0f, 0.0f, 0.0f};
  negative.add(n);
  CHECK(negative.quantile(0.9) == 0);
  CHECK(negative.max() == 0);
}

TEST_CASE("reservoir: keeps everything that fits, then a uniform share, the same every time") {
  Reservoir small(100);
  const auto few = uniforms(80, 0, 1);
  small.add(few);
  CHECK(std::equal(small.values().begin(), small.values().end(), few.begin(), few.end()));
  std::vector<float> stream(200000);
  std::iota(stream.begin(), stream.end(), 0.0f);
  Reservoir a(4096, 5), b(4096, 5), c(4096, 6);
  a.add(stream);
  b.add(std::span(stream).first(777));
  b.add(std::span(stream).subspan(777));
  c.add(stream);
  CHECK(a.seen() == 200000);
  REQUIRE(a.values().size() == 4096);
  CHECK(std::equal(a.values().begin(), a.values().end(), b.values().begin()));
  CHECK_FALSE(std::equal(a.values().begin(), a.values().end(), c.values().begin()));
  // Mean of a uniform sample of 4096 out of 0..199999: sigma = 200000 / sqrt(12 * 4096) = 902; 5 sigma.
  const double mean = std::accumulate(a.values().begin(), a.values().end(), 0.0) / 4096;
  CHECK(std::fabs(mean - 99999.5) < 4510);
  // Each quarter of the stream holds a quarter of the sample: sigma = sqrt(4096 * 3/16) = 27.7; 5 sigma.
  for (int q = 0; q < 4; ++q) {
    const auto in = std::count_if(a.values().begin(), a.values().end(),
                                  [&](float x) { return x >= q * 50000.0f && x < (q + 1) * 50000.0f; });
    CHECK(std::abs(in - 1024) < 139);
  }
}

TEST_CASE("reservoir: non-finite values never enter") {
  Reservoir r(4);
  const std::vector<float> v = {1, std::nanf(""), std::numeric_limits<float>::infinity(), 2};
  r.add(v);
  CHECK(r.values().size() == 2);
  CHECK(r.seen() == 2);
}
