// Sums over blocks of eight rows.
#include "converter/quantize/moments.h"

#include <algorithm>
#include <cmath>

#include "converter/quantize/wide_loop.h"

namespace pith::quantize {
namespace {

constexpr size_t kBlock = 8;
// Tiles of products: their sums and the columns of x that they read stay in the second cache while all rows pass.
constexpr size_t kTileRows = 32, kTileColumns = 256;
constexpr size_t kStrip = 128;  // rows of x widened at a time

// to[j] += sum over the block of x[r][i] x[r][j], j in [begin, end). Every j is a lane of its own: no order to lose.
PITH_WIDE_LOOP void add_row(const double* block, size_t k, size_t i, size_t begin, size_t end, double* to) {
  double f[kBlock];
  bool any = false;
  for (size_t r = 0; r < kBlock; ++r) f[r] = block[r * k + i], any = any || f[r] != 0;
  if (!any) return;  // common behind a ReLU
  const double *a = block, *b = a + k, *c = b + k, *d = c + k, *e = d + k, *g = e + k, *h = g + k, *l = h + k;
  for (size_t j = begin; j < end; ++j)
    to[j] += ((f[0] * a[j] + f[1] * b[j]) + (f[2] * c[j] + f[3] * d[j])) +
             ((f[4] * e[j] + f[5] * g[j]) + (f[6] * h[j] + f[7] * l[j]));
}

}  // namespace

Moments::Moments(size_t columns, bool with_cross_products)
    : columns_(columns),
      cross_(with_cross_products),
      sums_(columns),
      magnitudes_(columns),
      products_(with_cross_products ? columns * (columns + 1) / 2 : columns),
      largest_(columns) {}

uint64_t Moments::bytes_needed(uint64_t columns, bool with_cross_products) {
  const uint64_t one_row = columns * (2 * sizeof(double) + sizeof(float));
  return one_row + sizeof(double) * (with_cross_products ? columns * (columns + 1) / 2 : columns);
}

void Moments::add(std::span<const float> rows, ThreadPool* pool) {
  const size_t k = columns_, count = k == 0 ? 0 : rows.size() / k;
  std::vector<double> x;
  for (size_t first = 0; first < count; first += kStrip) {
    const size_t used = std::min(kStrip, count - first);
    const auto strip = rows.subspan(first * k, used * k);
    x.assign(strip.begin(), strip.end());
    x.resize((used + kBlock - 1) / kBlock * kBlock * k);  // by zeros
    for (size_t i = 0; i < used * k; ++i) {
      const size_t j = i % k;
      sums_[j] += x[i];
      magnitudes_[j] += std::fabs(x[i]);
      largest_[j] = std::max(largest_[j], std::fabs(strip[i]));
      if (!cross_) products_[j] += x[i] * x[i];
    }
    if (cross_)
      parallel_for(pool, (k + kTileRows - 1) / kTileRows, 1, [&](Range tiles) {
        for (size_t t = tiles.begin; t < tiles.end; ++t) add_tile(x, t * kTileRows);
      });
  }
  rows_ += count;
}

// Products of columns i in [first, first + kTileRows) with those from i on.
void Moments::add_tile(std::span<const double> x, size_t first) {
  const size_t k = columns_, last = std::min(k, first + kTileRows);
  for (size_t begin = first; begin < k; begin += kTileColumns)
    for (size_t block = 0; block < x.size(); block += kBlock * k)
      for (size_t i = first; i < last; ++i) {
        const size_t end = std::min(k, begin + kTileColumns);
        if (i < end)
          add_row(x.data() + block, k, i, std::max(i, begin), end, products_.data() + at(i, i) - i);
      }
}

std::vector<double> Moments::mean_squares() const {
  std::vector<double> m(columns_);
  for (size_t j = 0; j < columns_; ++j) m[j] = mean_square(j);
  return m;
}

Moments Moments::with_padded_runs(size_t run, size_t padded) const {
  const size_t taps = columns_ / run;
  const auto place = [=](size_t j) { return j / run * padded + j % run; };
  Moments out(taps * padded, cross_);
  out.rows_ = rows_;
  for (size_t j = 0; j < columns_; ++j) {
    out.sums_[place(j)] = sums_[j];
    out.magnitudes_[place(j)] = magnitudes_[j];
    out.largest_[place(j)] = largest_[j];
    if (!cross_) out.products_[place(j)] = products_[j];
  }
  if (cross_)
    for (size_t i = 0; i < columns_; ++i)
      for (size_t j = i; j < columns_; ++j) out.products_[out.at(place(i), place(j))] = products_[at(i, j)];
  return out;
}

Moments Moments::scaled(std::span<const double> factors) const {
  Moments out = *this;
  for (size_t j = 0; j < columns_; ++j) {
    out.sums_[j] *= factors[j];
    out.magnitudes_[j] *= std::fabs(factors[j]);
    out.largest_[j] = static_cast<float>(out.largest_[j] * std::fabs(factors[j]));
    if (!cross_) out.products_[j] *= factors[j] * factors[j];
  }
  if (cross_)
    for (size_t i = 0; i < columns_; ++i)
      for (size_t j = i; j < columns_; ++j) out.products_[at(i, j)] *= factors[i] * factors[j];
  return out;
}

double proxy_loss(std::span<const float> w, std::span<const float> decoded, size_t n, const Moments& m) {
  const size_t k = m.columns();
  if (m.rows() == 0) return 0;
  std::vector<double> e(k);
  double loss = 0;
  for (size_t row = 0; row < n; ++row) {
    for (size_t j = 0; j < k; ++j) e[j] = double{w[row * k + j]} - double{decoded[row * k + j]};
    for (size_t i = 0; i < k; ++i) {
      if (e[i] == 0) continue;
      double inner[4] = {};  // lanes: one fixed order of additions
      size_t j = i + 1;
      if (m.has_cross()) {
        const double* sums = m.product_sums(i);
        for (; j + 4 <= k; j += 4)
          for (size_t l = 0; l < 4; ++l) inner[l] += sums[j + l] * e[j + l];
        for (; j < k; ++j) inner[0] += sums[j] * e[j];
      }
      const double cross = ((inner[0] + inner[2]) + (inner[1] + inner[3])) / static_cast<double>(m.rows());
      loss += e[i] * (e[i] * m.mean_square(i) + 2 * cross);
    }
  }
  return loss;
}

}  // namespace pith::quantize
