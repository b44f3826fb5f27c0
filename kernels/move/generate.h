// Tensors made from numbers: ranges, one-hot rows, identity matrices, and the places of what is not zero.
#pragma once
#include "kernels/base/types.h"

namespace pith::kernels {

// y[i] = start + i * delta. Floats are computed in double and rounded once; integers wrap.
struct RangeArgs {
  void* y;
  DType dtype;                   // f32, f64 or an integer of 8 to 64 bits
  double start, delta;           // floats
  int64_t int_start, int_delta;  // integers
};
void range_ref(const RangeArgs& a, Range elements);

// y[outer, d, inner] = d == indices[outer, inner] ? on : off. Negative indices count from the end; an index
// outside
// [-depth, depth), or one that is no integer value at all, gives a row of `off`.
struct OneHotArgs {
  const void* indices;
  DType index_dtype;  // any number type of whole bytes but f16 and bf16; fractions are cut off
  void* y;
  const void *off, *on;  // one element each
  size_t element_bytes;
  int64_t depth;
  size_t inner;
};
void one_hot_ref(const OneHotArgs& a, Range outer);

// A matrix of zeros with ones at (i, i + k).
struct EyeArgs {
  void* y;
  DType dtype;  // any type of whole bytes
  int64_t rows, columns, k;
};
void eye_ref(const EyeArgs& a);

// Elements that are not zero; -0.0 is zero, NaN is not.
size_t count_nonzero_ref(const void* x, DType dtype, size_t n);
// places[d, j] = index along dim d of the j-th of them in row-major order; at most `found` are written.
void find_nonzero_ref(const void* x, DType dtype, int rank, const int64_t* dims, size_t found,
                      int64_t* places);

}  // namespace pith::kernels
