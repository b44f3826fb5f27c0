// Panels of columns from the right. For a panel, the part of every sum that lies behind it comes first, as products of
// contiguous rows; then the panel's own block; then the rows above it, each by itself.
#include "converter/quantize/upper_factor.h"

#include <algorithm>
#include <cmath>

#include "converter/quantize/wide_loop.h"

namespace pith::quantize {
namespace {

constexpr size_t kPanel = 32;
constexpr size_t kChunk = 96;  // of the sums: 32 rows of a panel x 96 doubles stay in the first cache
constexpr double kLeastPivot = 1e-12;

constexpr size_t kTile = 4;
// sums[q] = sum of a[l] b[q][l], four lanes each.
PITH_WIDE_LOOP void dots(const double* a, const double* const* b, size_t n, double* sums) {
  Wide s0{}, s1{}, s2{}, s3{};
  size_t l = 0;
  for (; l + kWideLanes <= n; l += kWideLanes) {
    const Wide x = wide_load(a + l);
    s0 += x * wide_load(b[0] + l);
    s1 += x * wide_load(b[1] + l);
    s2 += x * wide_load(b[2] + l);
    s3 += x * wide_load(b[3] + l);
  }
  sums[0] = wide_sum(s0), sums[1] = wide_sum(s1), sums[2] = wide_sum(s2), sums[3] = wide_sum(s3);
  for (; l < n; ++l)
    for (size_t q = 0; q < kTile; ++q) sums[q] += a[l] * b[q][l];
}

struct Panel {
  UpperMatrix& u;
  size_t first, last;  // columns

  // h[i][j] -= sum over l >= last of u[i][l] u[j][l], for rows i of the range and columns j >= i of the panel.
  void subtract_behind(Range rows) const {
    for (size_t begin = last; begin < u.size(); begin += kChunk) {
      const size_t n = std::min(kChunk, u.size() - begin);
      for (size_t i = rows.begin; i < rows.end; ++i)
        for (size_t j = std::max(i, first); j < last; j += kTile) {
          const double* b[kTile];
          double sums[kTile];
          for (size_t q = 0; q < kTile; ++q) b[q] = u.row(std::min(j + q, last - 1)) + begin;
          dots(u.row(i) + begin, b, n, sums);
          for (size_t q = 0; q < kTile && j + q < last; ++q) u.row(i)[j + q] -= sums[q];
        }
    }
  }
  // u[i][j] from the columns of the panel behind j.
  double remainder(size_t i, size_t j) const {
    double sum = u.row(i)[j];
    for (size_t l = j + 1; l < last; ++l) sum -= u.row(i)[l] * u.row(j)[l];
    return sum;
  }
  void solve_row(size_t i, size_t end) const {  // columns below `end`, from the right
    for (size_t j = end; j-- > std::max(first, i + 1);) u.row(i)[j] = remainder(i, j) / u.row(j)[j];
  }
  // Column by column: the pivot, then its column up to the panel's first row.
  bool factor_block(const std::vector<double>& diagonal) const {
    for (size_t j = last; j-- > first;) {
      const double pivot = remainder(j, j);
      if (!(pivot > kLeastPivot * diagonal[j]) || !std::isfinite(pivot)) return false;
      u.row(j)[j] = std::sqrt(pivot);
      for (size_t i = first; i < j; ++i) u.row(i)[j] = remainder(i, j) / u.row(j)[j];
    }
    return true;
  }
};

}  // namespace

bool factor_upper(UpperMatrix& h, ThreadPool* pool) {
  std::vector<double> diagonal(h.size());
  for (size_t j = 0; j < h.size(); ++j) diagonal[j] = h.row(j)[j];
  for (size_t last = h.size(); last > 0;) {
    const size_t first = (last - 1) / kPanel * kPanel;
    const Panel panel{h, first, last};
    parallel_for(pool, last, 8, [&](Range rows) { panel.subtract_behind(rows); });
    if (!panel.factor_block(diagonal)) return false;
    parallel_for(pool, first, 8, [&](Range rows) {
      for (size_t i = rows.begin; i < rows.end; ++i) panel.solve_row(i, last);
    });
    last = first;
  }
  return true;
}

}  // namespace pith::quantize
