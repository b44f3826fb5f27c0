// Second moments of the rows x[k] that a weight matrix multiplies: what weighted search, GPTQ, AWQ, SmoothQuant and the outlier
// list of LLM.int8 are made from.
//   Moments m(k, true);   m.add(rows, pool) ...;   m.mean_square(j);   m.mean_product(i, j);
// Memory: 8 bytes x k (k + 1) / 2 with cross products, 8 x k without; the number of rows plays no part. Sums are double and
// their order is fixed, whatever the threads.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/threads/parallel.h"

namespace pith::quantize {

class Moments {
 public:
  Moments() = default;
  Moments(size_t columns, bool with_cross_products);

  static uint64_t bytes_needed(uint64_t columns, bool with_cross_products);
  // Whole rows, finite values.
  void add(std::span<const float> rows, ThreadPool* pool = nullptr);

  size_t columns() const { return columns_; }
  uint64_t rows() const { return rows_; }
  bool has_cross() const { return cross_; }
  double mean(size_t j) const { return over_rows(sums_[j]); }
  double mean_magnitude(size_t j) const { return over_rows(magnitudes_[j]); }
  float largest(size_t j) const { return largest_[j]; }  // |x|
  double mean_square(size_t j) const { return over_rows(products_[cross_ ? at(j, j) : j]); }
  double mean_product(size_t i, size_t j) const {  // has_cross()
    return over_rows(products_[i < j ? at(i, j) : at(j, i)]);
  }
  std::vector<double> mean_squares() const;
  const double* product_sums(size_t i) const {
    return products_.data() + at(i, i) - i;
  }  // [j], j >= i; has_cross()

  // The same rows with zero columns put in: each `run` of columns becomes `padded` wide, as the kernel rows of packed
  // convolutions do.
  Moments with_padded_runs(size_t run, size_t padded) const;
  // As if the rows had been multiplied by `factors` column by column.
  Moments scaled(std::span<const double> factors) const;

 private:
  void add_tile(std::span<const double> x, size_t first);
  // Of the upper triangle, rows one after another.
  size_t at(size_t i, size_t j) const { return i * columns_ - i * (i + 1) / 2 + j; }
  double over_rows(double sum) const { return rows_ == 0 ? 0 : sum / static_cast<double>(rows_); }

  size_t columns_ = 0;
  uint64_t rows_ = 0;
  bool cross_ = false;
  std::vector<double> sums_, magnitudes_, products_;
  std::vector<float> largest_;
};

// Mean over the rows of |(w - decoded) x|^2, summed over outputs: what quantizing costs the product. Both [n, k]. Without
// cross products: as if columns were uncorrelated with mean 0.
double proxy_loss(std::span<const float> w, std::span<const float> decoded, size_t n, const Moments& m);

}  // namespace pith::quantize
