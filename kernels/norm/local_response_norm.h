// Local response normalization over neighbouring channels of float x[outer, channels, inner]:
//   y[c] = x[c] / (bias + alpha / size * sum of x[i]^2)^beta,  i from c - floor((size-1)/2) to c +
//   ceil((size-1)/2)
// x and y must not overlap.
#pragma once
#include "kernels/base/types.h"
#include "kernels/reduce/axis_view.h"

namespace pith::kernels {

struct LocalResponseNormArgs {
  const float* x;
  float* y;
  AxisView view;  // n: channels
  size_t size;
  float alpha, beta, bias;
};

// Pieces [begin, end) of pieces_of(view).
void local_response_norm_ref(const LocalResponseNormArgs& a, Range pieces);

}  // namespace pith::kernels
