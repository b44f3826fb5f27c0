// Direct convolution of 8-bit codes with exact 32-bit sums.
#include <algorithm>
#include <type_traits>

#include "kernels/base/requant.h"
#include "kernels/conv/conv.h"
#include "kernels/gemm/dot_tile.h"

namespace pith::kernels {
namespace {

struct CodesPatch {
  Taps taps[3];
  size_t image;  // element offset of the image
};

// Calls f(offset of the x pixel, tap) for every tap inside the input.
template <class F>
void each_tap(const Window& s, const CodesPatch& p, F&& f) {
  for (int64_t k0 = p.taps[0].begin; k0 < p.taps[0].end; ++k0)
    for (int64_t k1 = p.taps[1].begin; k1 < p.taps[1].end; ++k1)
      for (int64_t k2 = p.taps[2].begin; k2 < p.taps[2].end; ++k2) {
        const int64_t row = p.taps[0].at(k0, s.dilation[0]) * s.in[1] + p.taps[1].at(k1, s.dilation[1]);
        f(static_cast<size_t>(row * s.in[2] + p.taps[2].at(k2, s.dilation[2])),
          static_cast<size_t>((k0 * s.kernel[1] + k1) * s.kernel[2] + k2));
      }
}

template <class Y>
void store(const ConvCodesArgs& a, size_t at, size_t o, uint32_t sum) {
  sum += static_cast<uint32_t>(a.bias == nullptr ? 0 : a.bias[o]);
  const auto acc = static_cast<int32_t>(sum);
  if constexpr (std::is_same_v<Y, int32_t>)
    static_cast<Y*>(a.y)[at] = acc;
  else
    static_cast<Y*>(a.y)[at] =
        static_cast<Y>(requantize(acc, a.scale[o * a.scale_stride], a.y_zero, a.y_lo, a.y_hi));
}

template <class X, class W, class Y>
void dense_pixel(const ConvCodesArgs& a, const CodesPatch& p, size_t y_at) {
  const size_t depth = a.in_channels / a.groups, group_outputs = a.out_channels / a.groups;
  const size_t taps = a.window.taps();
  const X* x = static_cast<const X*>(a.x) + p.image;
  for (size_t o = 0; o < a.out_channels; ++o) {
    const W* w = static_cast<const W*>(a.w) + o * taps * depth;
    const int32_t w_zero = a.w_zero[o * a.w_zero_stride];
    const X* group = x + o / group_outputs * depth;
    uint32_t sum = 0;
    each_tap(a.window, p, [&](size_t pixel, size_t tap) {
      sum += static_cast<uint32_t>(
          dot_codes(group + pixel * a.in_channels, w + tap * depth, depth, a.x_zero, w_zero));
    });
    store<Y>(a, y_at + o, o, sum);
  }
}

// C == O == G: channels in the inner loop.
template <class X, class W, class Y>
void depthwise_pixel(const ConvCodesArgs& a, const CodesPatch& p, size_t y_at) {
  constexpr size_t kStrip = 64;
  const size_t taps = a.window.taps();
  for (size_t c0 = 0; c0 < a.in_channels; c0 += kStrip) {
    const size_t count = std::min(kStrip, a.in_channels - c0);
    const X* x = static_cast<const X*>(a.x) + p.image + c0;
    const W* w = static_cast<const W*>(a.w) + c0 * taps;
    uint32_t sums[kStrip] = {};
    each_tap(a.window, p, [&](size_t pixel, size_t tap) {
      const X* from = x + pixel * a.in_channels;
      for (size_t c = 0; c < count; ++c)
        sums[c] += static_cast<uint32_t>((from[c] - a.x_zero) *
                                         (w[c * taps + tap] - a.w_zero[(c0 + c) * a.w_zero_stride]));
    });
    for (size_t c = 0; c < count; ++c) store<Y>(a, y_at + c0 + c, c0 + c, sums[c]);
  }
}

}  // namespace

template <class X, class W, class Y>
void conv_codes_ref(const ConvCodesArgs& a, Range pixels) {
  const bool depthwise = a.groups == a.in_channels && a.groups == a.out_channels;
  Pixel at = pixel_of(a.window, pixels.begin);
  for (size_t i = pixels.begin; i < pixels.end; ++i, next_pixel(a.window, &at)) {
    CodesPatch p{};
    for (int d = 0; d < 3; ++d) p.taps[d] = taps_of(a.window, d, at.at[d]);
    p.image = at.image * a.window.in_count() * a.in_channels;
    if (depthwise)
      depthwise_pixel<X, W, Y>(a, p, i * a.out_channels);
    else
      dense_pixel<X, W, Y>(a, p, i * a.out_channels);
  }
}
#define PITH_CONV_CODES(X, W)                                               \
  template void conv_codes_ref<X, W, int8_t>(const ConvCodesArgs&, Range);  \
  template void conv_codes_ref<X, W, uint8_t>(const ConvCodesArgs&, Range); \
  template void conv_codes_ref<X, W, int32_t>(const ConvCodesArgs&, Range);
PITH_CONV_CODES(int8_t, int8_t)
PITH_CONV_CODES(int8_t, uint8_t)
PITH_CONV_CODES(uint8_t, int8_t)
PITH_CONV_CODES(uint8_t, uint8_t)
#undef PITH_CONV_CODES

}  // namespace pith::kernels
