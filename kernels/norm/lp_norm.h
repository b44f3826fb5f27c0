// Divides every line along the n of float x[outer, n, inner] by its p-norm: sum |x| (p = 1) or sqrt sum x^2
// (p = 2). A line of zeros stays zero. x and y may be the same memory. Sums in double.
#pragma once
#include "kernels/base/types.h"
#include "kernels/reduce/axis_view.h"

namespace pith::kernels {

struct LpNormArgs {
  const float* x;
  float* y;
  AxisView view;
  int p;  // 1 or 2
};

// Pieces [begin, end) of pieces_of(view).
void lp_norm_ref(const LpNormArgs& a, Range pieces);

}  // namespace pith::kernels
