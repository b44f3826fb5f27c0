// Running sum (or product) along the n of x[outer, n, inner]: y[k] = x[0] + .. + x[k], without x[k] when
// exclusive (then y[0] = 0, or 1), from the end when reversed. Floats accumulate in double, integers wrap.
#pragma once
#include "kernels/elementwise/block.h"
#include "kernels/reduce/axis_view.h"

namespace pith::kernels {

struct CumSumArgs {
  Lane x, y;  // same type; must not overlap
  AxisView view;
  bool exclusive, reverse, product;
};

// Pieces [begin, end) of pieces_of(view).
void cum_sum_ref(const CumSumArgs& a, Range pieces);

}  // namespace pith::kernels
