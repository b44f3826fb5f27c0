// Softmax along the n of x[outer, n, inner], float or double:
//   softmax      y = exp(x - m) / sum exp(x - m),  m = max x      (m subtracted, so exp never overflows)
//   log_softmax  y = (x - m) - log(sum exp(x - m))
//   hardmax      y = 1 at the first maximum, 0 elsewhere
// x and y may be the same memory. Sums are in double: |y / exact - 1| <= 2^-24 (4 + |x - m|).
// Quantized: exp comes from a table of 256 floats, e[d] = exp(-scale d) for codes d below the maximum.
#pragma once
#include "kernels/base/types.h"
#include "kernels/elementwise/block.h"
#include "kernels/reduce/axis_view.h"

namespace pith::kernels {

enum class SoftmaxKind : uint8_t { softmax, log_softmax, hardmax };

struct SoftmaxArgs {
  SoftmaxKind kind;
  Lane x, y;
  AxisView view;
  const float* exp_table;  // quantized only: 256 entries
};

// Pieces [begin, end) of pieces_of(view).
void softmax_ref(const SoftmaxArgs& a, Range pieces);        // f32, f64
void softmax_codes_ref(const SoftmaxArgs& a, Range pieces);  // i8, u8, quantized; not hardmax
void make_exp_table(float scale, float table[256]);

}  // namespace pith::kernels
