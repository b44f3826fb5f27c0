// Row normalizations of float x[rows, n]; x and y may be the same memory. Functions: kernels/rows/float_rows.h.
//   layer  y = (x - mean) / sqrt(mean of (x - mean)^2 + epsilon) * scale + bias
//   rms    y = x / sqrt(mean of x^2 + epsilon) * scale
#pragma once
#include "kernels/base/types.h"

namespace pith::kernels {

struct LayerNormArgs {
  const float* x;
  const float* scale;  // [n], or one value with scale_step 0
  const float* bias;   // the same, or null
  float* y;
  float* mean;     // [rows] or null
  float* inv_std;  // [rows] or null: 1 / sqrt(..)
  size_t n;
  size_t scale_step, bias_step;  // 0 or 1
  float epsilon;
};

}  // namespace pith::kernels
