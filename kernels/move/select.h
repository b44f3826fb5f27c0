// Row-wise selections: triangles of matrices and sequences turned round. x and y must not overlap.
#pragma once
#include "kernels/base/types.h"

namespace pith::kernels {

// Keeps the elements with column - row >= k (upper) or <= k (lower); others become `zero`.
struct TriangleArgs {
  const void* x;
  void* y;
  const void* zero;  // one element
  size_t element_bytes;
  int64_t rows, columns;  // of one matrix
  int64_t k;              // |k| <= 2^60
  bool upper;
};
// Rows of all matrices, flattened.
void triangle_ref(const TriangleArgs& a, Range rows);

// x[time, batch, inner] (or [batch, time, inner]): the first lengths[batch] steps in reverse order, the rest
// as they are. Lengths outside [0, time] count as the nearest of the two.
struct ReverseSequenceArgs {
  const void* x;
  void* y;
  const void* lengths;
  bool wide_lengths;  // i64, else i32
  size_t dims[2];     // the first two dims of x
  int time_axis;      // 0 or 1; the other one is the batch
  size_t inner_bytes;
};
// Rows: the first two dims flattened.
void reverse_sequence_ref(const ReverseSequenceArgs& a, Range rows);

}  // namespace pith::kernels
