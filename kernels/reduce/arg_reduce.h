// Index of the largest or smallest element along the n of x[outer, n, inner], as i64; of equal elements the
// first or the last. NaN never wins unless it is the first element looked at.
#pragma once
#include "kernels/elementwise/block.h"
#include "kernels/reduce/axis_view.h"

namespace pith::kernels {

struct ArgReduceArgs {
  Lane x;
  int64_t* y;  // [outer, inner]
  AxisView view;
  bool largest, last;
};

// Pieces [begin, end) of pieces_of(view).
void arg_reduce_ref(const ArgReduceArgs& a, Range pieces);

}  // namespace pith::kernels
