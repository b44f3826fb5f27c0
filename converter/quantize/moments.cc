// Sums over blocks of eight rows.
#include "converter/quantize/moments.h"

#include <algorithm>
#include <cmath>

#include "converter/quantize/wide_loop.h"

namespace pith::quantize {
namespace {

constexpr size_t kBlock = 8;

// to[j] += sum over the block of x[r][i] x[r][j], j from i on. Every j is a lane of its own: no order to lose.
PITH_WIDE_LOOP void add_row(const double* const x[kBlock], size_t i, size_t k, double* to) {
  double f[kBlock];
  bool any = false;
  for (size_t r = 0; r < kBlock; ++r) f[r] = x[r][i], any = any || f[r] != 0;
  if (!any) return;  // common behind a ReLU
  const double *a = x[0], *b = x[1], *c = x[2], *d = x[3], *e = x[4], *g = x[5], *h = x[6], *l = x[7];
  for (size_t j = i; j < k; ++j)
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
  const size_t k = columns_;
  std::vector<double> block(kBlock * k);
  const double* x[kBlock];
  for (size_t r = 0; r < kBlock; ++r) x[r] = block.data() + r * k;
  const size_t count = k == 0 ? 0 : rows.size() / k;
  for (size_t first = 0; first < count; first += kBlock) {
    const size_t used = std::min(kBlock, count - first) * k;
    std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(first * k), used, block.begin());
    std::fill(block.begin() + static_cast<std::ptrdiff_t>(used), block.end(), 0.0);
    for (size_t i = 0; i < used; ++i) {
      const size_t j = i % k;
      sums_[j] += block[i];
      magnitudes_[j] += std::fabs(block[i]);
      largest_[j] = std::max(largest_[j], std::fabs(static_cast<float>(block[i])));
      if (!cross_) products_[j] += block[i] * block[i];
    }
    if (cross_)
      parallel_for(pool, k, 64, [&](Range range) {
        for (size_t i = range.begin; i < range.end; ++i) add_row(x, i, k, products_.data() + at(i, i) - i);
      });
  }
  rows_ += count;
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
