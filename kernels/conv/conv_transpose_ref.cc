// Transposed convolution, one output pixel at a time: dot products over the channels of the taps that reach
// it.
#include "kernels/conv/conv_transpose.h"

#include <algorithm>

#include "kernels/base/requant.h"
#include "kernels/gemm/dot_tile.h"

namespace pith::kernels {
namespace {

// The input coordinate that tap t brings to output o along dim d, or -1.
int64_t source_of(const Window& s, int d, int64_t o, int64_t tap) {
  const int64_t scaled = o + s.pad[d] - tap * s.dilation[d];
  if (scaled < 0 || scaled % s.stride[d] != 0) return -1;
  const int64_t i = scaled / s.stride[d];
  return i < s.in[d] ? i : -1;
}

// Calls f(x pixel within its image, tap) for every tap that reaches output pixel `at`.
template <class F>
void each_source(const Window& s, const Pixel& at, F&& f) {
  for (int64_t k0 = 0; k0 < s.kernel[0]; ++k0) {
    const int64_t d = source_of(s, 0, at.at[0], k0);
    if (d < 0) continue;
    for (int64_t k1 = 0; k1 < s.kernel[1]; ++k1) {
      const int64_t h = source_of(s, 1, at.at[1], k1);
      if (h < 0) continue;
      for (int64_t k2 = 0; k2 < s.kernel[2]; ++k2) {
        const int64_t w = source_of(s, 2, at.at[2], k2);
        if (w < 0) continue;
        f(static_cast<size_t>((d * s.in[1] + h) * s.in[2] + w),
          static_cast<size_t>((k0 * s.kernel[1] + k1) * s.kernel[2] + k2));
      }
    }
  }
}

}  // namespace

void conv_transpose_f32_ref(const ConvArgs& a, Range pixels) {
  constexpr size_t kOutputs = 4;
  const size_t depth = a.in_channels / a.groups, group_outputs = a.out_channels / a.groups;
  const size_t taps = a.window.taps();
  Pixel at = pixel_of(a.window, pixels.begin);
  for (size_t i = pixels.begin; i < pixels.end; ++i, next_pixel(a.window, &at)) {
    const float* image = a.x + at.image * a.window.in_count() * a.in_channels;
    for (size_t g = 0; g < a.groups; ++g)
      for (size_t o = 0; o < group_outputs; o += kOutputs) {
        const size_t count = std::min(kOutputs, group_outputs - o), first = g * group_outputs + o;
        Lanes<float> acc[1][kOutputs] = {};
        each_source(a.window, at, [&](size_t pixel, size_t tap) {
          const float* x[1] = {image + pixel * a.in_channels + g * depth};
          const float* w[kOutputs];
          for (size_t r = 0; r < kOutputs;
               ++r)  // missing channels repeat the last one; their sums are dropped
            w[r] = a.w + ((first + std::min(r, count - 1)) * taps + tap) * depth;
          dot_tile<1, kOutputs>(x, w, depth, acc);
        });
        for (size_t r = 0; r < count; ++r) {
          float y = sum_lanes(acc[0][r]) + (a.bias == nullptr ? 0.0f : a.bias[first + r]);
          y = y < a.clamp_min ? a.clamp_min : y;
          a.y[i * a.out_channels + first + r] = y > a.clamp_max ? a.clamp_max : y;
        }
      }
  }
}

template <class X, class W, class Y>
void conv_transpose_codes_ref(const ConvCodesArgs& a, Range pixels) {
  const size_t depth = a.in_channels / a.groups, group_outputs = a.out_channels / a.groups;
  const size_t taps = a.window.taps();
  Pixel at = pixel_of(a.window, pixels.begin);
  for (size_t i = pixels.begin; i < pixels.end; ++i, next_pixel(a.window, &at)) {
    const X* image = static_cast<const X*>(a.x) + at.image * a.window.in_count() * a.in_channels;
    for (size_t o = 0; o < a.out_channels; ++o) {
      const X* x = image + o / group_outputs * depth;
      const W* w = static_cast<const W*>(a.w) + o * taps * depth;
      const int32_t w_zero = a.w_zero[o * a.w_zero_stride];
      auto sum = static_cast<uint32_t>(a.bias == nullptr ? 0 : a.bias[o]);
      each_source(a.window, at, [&](size_t pixel, size_t tap) {
        sum += static_cast<uint32_t>(
            dot_codes(x + pixel * a.in_channels, w + tap * depth, depth, a.x_zero, w_zero));
      });
      static_cast<Y*>(a.y)[i * a.out_channels + o] = static_cast<Y>(
          requantize(static_cast<int32_t>(sum), a.scale[o * a.scale_stride], a.y_zero, a.y_lo, a.y_hi));
    }
  }
}
#define PITH_CONV_TRANSPOSE_CODES(X, W)                                              \
  template void conv_transpose_codes_ref<X, W, int8_t>(const ConvCodesArgs&, Range); \
  template void conv_transpose_codes_ref<X, W, uint8_t>(const ConvCodesArgs&, Range);
PITH_CONV_TRANSPOSE_CODES(int8_t, int8_t)
PITH_CONV_TRANSPOSE_CODES(int8_t, uint8_t)
PITH_CONV_TRANSPOSE_CODES(uint8_t, int8_t)
PITH_CONV_TRANSPOSE_CODES(uint8_t, uint8_t)
#undef PITH_CONV_TRANSPOSE_CODES

}  // namespace pith::kernels
