// H = U U^T with U upper triangular: a Cholesky factorisation run from the last index to the first, in place on packed rows.
//   UpperMatrix h(k);  h.row(i)[j] = ... for j >= i;   if (!factor_upper(h, pool)) ... not positive definite, h is lost
// k^3 / 3 operations, 8 bytes x k (k + 1) / 2. The same bits for every thread count.
#pragma once
#include <cstddef>
#include <vector>

#include "runtime/threads/parallel.h"

namespace pith::quantize {

class UpperMatrix {
 public:
  explicit UpperMatrix(size_t k) : k_(k), values_(k * (k + 1) / 2) {}
  size_t size() const { return k_; }
  // row(i)[j] for j >= i.
  double* row(size_t i) { return values_.data() + offset(i); }
  const double* row(size_t i) const { return values_.data() + offset(i); }

 private:
  size_t offset(size_t i) const { return i * k_ - i * (i + 1) / 2; }
  size_t k_;
  std::vector<double> values_;
};

// False when a pivot falls below 1e-12 of its diagonal element: numerically rank deficient.
bool factor_upper(UpperMatrix& h, ThreadPool* pool);

}  // namespace pith::quantize
