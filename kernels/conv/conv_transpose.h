// Transposed convolution, channels last: x[N, D, H, W, C], w[O, kd, kh, kw, C/G], y[N, od, oh, ow, O].
// Input pixel i adds x[i] * w[o, t] to output pixel i * stride - pad + t * dilation; computed from the
// output's side:
//   y[n, p, o] = clamp(bias[o] + sum over taps t with (p + pad - t * dilation) divisible by stride and its
//   quotient i inside,
//                      and c < C/G, of x[n, i, g * C/G + c] * w[o, t, c])
// In `window`, `in` and `out` are those of this operator (x and y). y must not overlap x. Ranges count output
// pixels.
#pragma once
#include "kernels/conv/conv.h"

namespace pith::kernels {

void conv_transpose_f32_ref(const ConvArgs& a, Range pixels);
// Requantized 8-bit y, as conv_codes_ref.
template <class X, class W, class Y>
void conv_transpose_codes_ref(const ConvCodesArgs& a, Range pixels);

}  // namespace pith::kernels
