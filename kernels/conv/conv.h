// Convolution, channels last: x[N, D, H, W, C], w[O, kd, kh, kw, C/G], y[N, od, oh, ow, O], G groups.
//   y[n, p, o] = clamp(sum over taps t, c < C/G of x[n, p * stride - pad + t * dilation, g * C/G + c] * w[o,
//   t, c] + bias[o])
// Group g = o / (O/G). Padding contributes nothing (for codes: padding holds the zero point). y must not
// overlap x.
//
// Ranges count output pixels (all images). |error| <= (taps * C/G + 3) u sum |x w|, u = 2^-24.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/types.h"
#include "kernels/conv/window.h"

namespace pith::kernels {

struct ConvArgs {
  Window window;
  size_t in_channels, out_channels, groups;
  const float* x;
  const float* w;
  const float* bias;  // or null
  float* y;
  float clamp_min, clamp_max;
};
void conv_f32_ref(const ConvArgs& a, Range pixels);

// Depthwise, C == O == G: weights as [taps, C] (made by depthwise_weights_ref), so that channels are
// contiguous.
void depthwise_weights_ref(const float* w, size_t channels, size_t taps, float* out);
void depthwise_f32_ref(const ConvArgs& a, Range pixels);

// 8-bit codes. Zero points and scales of w: one (stride 0) or per output channel (stride 1).
struct ConvCodesArgs {
  Window window;
  size_t in_channels, out_channels, groups;
  const void* x;
  const void* w;
  const int32_t* bias;  // or null
  void* y;
  int32_t x_zero;
  const int32_t* w_zero;
  size_t w_zero_stride;
  const float* scale;  // requantization (kernels/base/requant.h); null for i32 y
  size_t scale_stride;
  int32_t y_zero, y_lo, y_hi;
};
// Y = int8_t or uint8_t: requantized. Y = int32_t: the exact sums, modulo 2^32.
template <class X, class W, class Y>
void conv_codes_ref(const ConvCodesArgs& a, Range pixels);

}  // namespace pith::kernels
