// GPTQ against the published form of it, and its promises.
#include "converter/quantize/gptq.h"

#include <doctest/doctest.h>

#include <cmath>

#include "converter/quantize/upper_factor.h"
#include "tests/support/correlated_rows.h"

namespace pith {
namespace {

using namespace quantize;
using testing::correlated_rows;
using testing::moments_of;
using testing::normals;
using Matrix = std::vector<double>;  // row-major, square

Matrix inverse(Matrix a, size_t k) {  // Gauss-Jordan with pivots
  Matrix b(k * k);
  for (size_t i = 0; i < k; ++i) b[i * k + i] = 1;
  for (size_t c = 0; c < k; ++c) {
    size_t pivot = c;
    for (size_t i = c; i < k; ++i)
      if (std::abs(a[i * k + c]) > std::abs(a[pivot * k + c])) pivot = i;
    for (size_t j = 0; j < k; ++j)
      std::swap(a[c * k + j], a[pivot * k + j]), std::swap(b[c * k + j], b[pivot * k + j]);
    const double by = a[c * k + c];
    for (size_t j = 0; j < k; ++j) a[c * k + j] /= by, b[c * k + j] /= by;
    for (size_t i = 0; i < k; ++i) {
      const double f = i == c ? 0 : a[i * k + c];
      for (size_t j = 0; j < k; ++j) a[i * k + j] -= f * a[c * k + j], b[i * k + j] -= f * b[c * k + j];
    }
  }
  return b;
}
Matrix upper_cholesky(const Matrix& a, size_t k) {  // R^T R = a
  Matrix r(k * k);
  for (size_t i = 0; i < k; ++i)
    for (size_t j = i; j < k; ++j) {
      double sum = a[i * k + j];
      for (size_t l = 0; l < i; ++l) sum -= r[l * k + i] * r[l * k + j];
      r[i * k + j] = i == j ? std::sqrt(sum) : sum / r[i * k + i];
    }
  return r;
}

// Codes by the published algorithm: columns one by one, weights behind them updated at once. i4f16 or lut4, columns as they are.
std::vector<int8_t> published(const std::vector<float>& weights, size_t n, size_t k, const GroupOptions& o,
                              const Moments& m, double damping) {
  Matrix h(k * k);
  double mean = 0;
  for (size_t j = 0; j < k; ++j) mean += m.mean_square(j) / static_cast<double>(k);
  for (size_t i = 0; i < k; ++i)
    for (size_t j = 0; j < k; ++j) h[i * k + j] = m.mean_product(i, j) + (i == j ? damping * mean : 0);
  const Matrix r = upper_cholesky(inverse(h, k), k);
  GroupRows rows(n, k, o.layout, o.group);
  for (size_t row = 0; row < n; ++row) {
    std::vector<double> w(weights.begin() + static_cast<std::ptrdiff_t>(row * k),
                          weights.begin() + static_cast<std::ptrdiff_t>(row * k + k));
    GroupGrid grid;
    for (size_t j = 0; j < k; ++j) {
      if (j % o.group == 0) {
        const size_t size = std::min(o.group, k - j);
        std::vector<double> importance;
        for (size_t i = j; i < j + size; ++i) importance.push_back(m.mean_square(i));
        const std::span<const double> x(w.data() + j, size);
        grid = rows.settle(row, j / o.group, find_grid(x, importance, o.layout, o.method), x, importance);
      }
      rows.codes[row * k + j] = static_cast<int8_t>(grid.code_of(w[j]));
      const double e = (w[j] - grid.nearest(w[j])) / r[j * k + j];
      for (size_t i = j; i < k; ++i) w[i] -= e * r[j * k + i];
    }
  }
  return rows.codes;
}

}  // namespace

TEST_CASE("the factor times its transpose is the matrix, in the same bits for every thread count") {
  constexpr size_t kSize = 150;
  const Moments m = moments_of(correlated_rows(400, kSize, 3), kSize);
  UpperMatrix u(kSize);
  for (size_t i = 0; i < kSize; ++i)
    for (size_t j = i; j < kSize; ++j) u.row(i)[j] = m.mean_product(i, j);
  UpperMatrix threaded = u;
  const auto pool = ThreadPool::create(2);
  REQUIRE(factor_upper(u, nullptr));
  REQUIRE(factor_upper(threaded, pool.get()));
  for (size_t i = 0; i < kSize; ++i)
    for (size_t j = i; j < kSize; ++j) {
      double sum = 0;
      for (size_t l = j; l < kSize; ++l) sum += u.row(i)[l] * u.row(j)[l];
      CHECK(sum == doctest::Approx(m.mean_product(i, j)).epsilon(1e-9));
      CHECK(u.row(i)[j] == threaded.row(i)[j]);
    }
  UpperMatrix singular(3);  // all ones
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = i; j < 3; ++j) singular.row(i)[j] = 1;
  CHECK_FALSE(factor_upper(singular, nullptr));
}

TEST_CASE("GPTQ gives the codes of its published form") {
  for (const Layout layout : {Layout::i4f16, Layout::lut4})
    for (const GroupMethod method : {GroupMethod::signed_max, GroupMethod::search}) {
      constexpr size_t kRows = 40, kColumns = 144;
      const std::vector<float> w = normals(kRows * kColumns, 0, 0.05, 11);
      const Moments m = moments_of(correlated_rows(500, kColumns, 7), kColumns);
      const GroupOptions o{layout, 32, method};
      const auto q = quantize_gptq(w, kRows, kColumns, o, m, {.by_importance = false});
      REQUIRE_MESSAGE(q.is_ok(), q.status().message());
      const std::vector<int8_t> expected = published(w, kRows, kColumns, o, m, 0.01);
      // Rows where the search won do not show GPTQ's codes; there must be few.
      size_t differ = 0;
      for (size_t i = 0; i < expected.size(); ++i) differ += q.value().weights.codes[i] != expected[i];
      CHECK(differ <= q.value().report.searched_rows * kColumns);
      CHECK(q.value().report.searched_rows <= 1);
      CHECK(q.value().report.retries == 0);
    }
}

TEST_CASE("GPTQ never has the larger loss, and by far the smaller one where inputs are correlated") {
  for (const Layout layout : {Layout::i4s8, Layout::i4a, Layout::i4f16, Layout::lut4}) {
    CAPTURE(static_cast<int>(layout));
    constexpr size_t kRows = 50, kColumns = 200;
    const std::vector<float> w = normals(kRows * kColumns, 0, 0.05, 21);
    const Moments m = moments_of(correlated_rows(700, kColumns, 31), kColumns);
    const GroupOptions o{layout, 64};
    const auto q = quantize_gptq(w, kRows, kColumns, o, m);
    REQUIRE_MESSAGE(q.is_ok(), q.status().message());
    const GptqReport& report = q.value().report;
    const double loss = proxy_loss(w, q.value().weights.decoded(), kRows, m);
    const std::vector<double> squares = m.mean_squares();
    const auto searched = quantize_groups(w, kRows, kColumns, {layout, 64, GroupMethod::search, squares});
    const auto plain = quantize_groups(w, kRows, kColumns, {layout, 64, GroupMethod::plain});
    const double search_loss = proxy_loss(w, searched.value().decoded(), kRows, m);
    const double plain_loss = proxy_loss(w, plain.value().decoded(), kRows, m);
    MESSAGE(static_cast<int>(layout) << ": plain " << plain_loss << ", search " << search_loss << ", GPTQ "
                                     << loss);
    CHECK(report.loss <= report.search_loss);
    CHECK(loss < 0.6 * search_loss);
    CHECK(search_loss < plain_loss);
    // The loss that falls out of the sweep is the damped one of the codes it chose.
    double squared_error = 0, mean = 0;
    const std::vector<float> decoded = q.value().weights.decoded();
    for (size_t i = 0; i < w.size(); ++i) squared_error += std::pow(double{w[i]} - decoded[i], 2);
    for (const double s : squares) mean += s / kColumns;
    CHECK(report.loss == doctest::Approx(loss + report.damping * mean * squared_error).epsilon(1e-4));
  }
}

TEST_CASE("GPTQ on held-back rows: the order by importance and the fed-back grids generalise") {
  constexpr size_t kRows = 48, kColumns = 128;
  const std::vector<float> w = normals(kRows * kColumns, 0, 0.05, 2), x = correlated_rows(1200, kColumns, 5);
  Moments fit(kColumns, true), judge(kColumns, true);
  fit.add(std::span(x).first(900 * kColumns));
  judge.add(std::span(x).subspan(900 * kColumns));
  const GroupOptions o{Layout::i4s8, 32};
  const std::vector<double> squares = fit.mean_squares();
  const auto q = quantize_gptq(w, kRows, kColumns, o, fit);
  const auto searched = quantize_groups(w, kRows, kColumns, {Layout::i4s8, 32, GroupMethod::search, squares});
  CHECK(proxy_loss(w, q.value().weights.decoded(), kRows, judge) <
        0.7 * proxy_loss(w, searched.value().decoded(), kRows, judge));
}

TEST_CASE("dead inputs, too few rows and singular moments are reported, damping is raised until it works") {
  constexpr size_t kRows = 8, kColumns = 64;
  const std::vector<float> w = normals(kRows * kColumns, 0, 0.05, 4);
  std::vector<float> x = correlated_rows(20, kColumns, 6);
  for (size_t i = 0; i < x.size(); ++i)
    if (i % kColumns == 10 || i % kColumns == 33) x[i] = 0;
  const Moments m = moments_of(x, kColumns);
  const auto q = quantize_gptq(w, kRows, kColumns, {Layout::i4f16, 32}, m, {.damping = 1e-15});
  REQUIRE_MESSAGE(q.is_ok(), q.status().message());
  const GptqReport& report = q.value().report;
  CHECK(report.dead_columns == 2);
  CHECK(report.few_rows);
  CHECK(report.retries > 0);
  CHECK(report.damping > 1e-13);
  CHECK(summary(report).find("2 inputs are always zero; fewer calibration rows than inputs") !=
        std::string::npos);
  for (size_t row = 0; row < kRows; ++row) {  // a dead input's weight: nearest code, not zero
    const GroupGrid g = q.value().weights.grid(row, 0);
    CHECK(q.value().weights.weight(row, 10) == g.nearest(w[row * kColumns + 10]));
  }
  const auto none =
      quantize_gptq(w, kRows, kColumns, {Layout::i4f16, 32}, m, {.damping = 1e-15, .most_damping = 1e-14});
  REQUIRE_FALSE(none.is_ok());
  CHECK(none.status().message().find("singular") != std::string::npos);
  CHECK_FALSE(quantize_gptq(w, kRows, kColumns, {Layout::i4f16, 32}, Moments(kColumns, false)).is_ok());
}

TEST_CASE("GPTQ's codes do not depend on the number of threads") {
  const std::vector<float> w = normals(37 * 96, 0, 0.05, 14);
  const Moments m = moments_of(correlated_rows(300, 96, 15), 96);
  const auto pool = ThreadPool::create(2);
  GroupOptions o{Layout::i4a, 32};
  const auto one = quantize_gptq(w, 37, 96, o, m);
  o.pool = pool.get();
  const auto two = quantize_gptq(w, 37, 96, o, m);
  CHECK(one.value().weights.codes == two.value().weights.codes);
  CHECK(one.value().weights.small_scales == two.value().weights.small_scales);
  CHECK(one.value().report.loss == two.value().report.loss);
}

}  // namespace pith
