// The k largest (or smallest) elements along the n of x[outer, n, inner], best first; of equal elements the
// one with the lower index comes first. Selection keeps a heap of k indices in the output itself: no scratch,
// O(n log k).
#pragma once
#include "kernels/elementwise/block.h"
#include "kernels/reduce/axis_view.h"

namespace pith::kernels {

struct TopKArgs {
  const void* x;
  DType dtype;       // f32, f64 or an integer of whole bytes
  void* values;      // [outer, k, inner], the type of x
  int64_t* indices;  // the same shape
  AxisView view;
  size_t k;  // 1..n
  bool largest;
};

// Columns [begin, end) of outer * inner.
void top_k_ref(const TopKArgs& a, Range columns);

}  // namespace pith::kernels
