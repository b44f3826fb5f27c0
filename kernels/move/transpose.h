// Transpose of a dense row-major tensor by element size: y[i_0 .. i_{r-1}] = x at dims permuted, y dim d = x
// dim perm[d].
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/types.h"

namespace pith::kernels {

inline constexpr int kTransposeMaxRank = 8;

struct TransposeArgs {
  const void* x;
  void* y;                             // must not overlap x
  size_t element_bytes;                // 1, 2, 4 or 8
  int rank;                            // 1..8
  size_t y_dims[kTransposeMaxRank];    // dims of y
  size_t x_stride[kTransposeMaxRank];  // in elements, of the x dim that y dim d walks
};

// Rows of y: index over all dims but the last.
void transpose_ref(const TransposeArgs& a, Range rows);

}  // namespace pith::kernels
