// Pooling with channels in the inner loop, a strip of them at a time.
#include "kernels/pool/pool.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/base/requant.h"

namespace pith::kernels {
namespace {

constexpr size_t kStrip = 64;

struct PoolPatch {
  Taps taps[3];
  size_t image;
};

PoolPatch patch_of(const Window& s, const Pixel& at, bool padded = false) {
  PoolPatch p{};
  for (int d = 0; d < 3; ++d) p.taps[d] = taps_of(s, d, at.at[d], padded);
  p.image = at.image;
  return p;
}

int64_t count_of(const PoolPatch& p) { return p.taps[0].count() * p.taps[1].count() * p.taps[2].count(); }

// Calls f(coordinates) for every tap inside the input.
template <class F>
void each_tap(const Window& s, const PoolPatch& p, F&& f) {
  for (int64_t k0 = p.taps[0].begin; k0 < p.taps[0].end; ++k0)
    for (int64_t k1 = p.taps[1].begin; k1 < p.taps[1].end; ++k1)
      for (int64_t k2 = p.taps[2].begin; k2 < p.taps[2].end; ++k2)
        f(p.taps[0].at(k0, s.dilation[0]), p.taps[1].at(k1, s.dilation[1]), p.taps[2].at(k2, s.dilation[2]));
}

// Calls f(first channel, number of channels, pixel index, patch) for every strip of every output pixel.
template <class F>
void each_strip(const PoolArgs& a, Range pixels, F&& f) {
  Pixel at = pixel_of(a.window, pixels.begin);
  for (size_t i = pixels.begin; i < pixels.end; ++i, next_pixel(a.window, &at)) {
    const PoolPatch p = patch_of(a.window, at);
    for (size_t c = 0; c < a.channels; c += kStrip) f(c, std::min(kStrip, a.channels - c), i, at, p);
  }
}

template <class T>
const T* pixel_at(const PoolArgs& a, const PoolPatch& p, int64_t d, int64_t h, int64_t w, size_t c) {
  const Window& s = a.window;
  const size_t pixel = p.image * s.in_count() + static_cast<size_t>((d * s.in[1] + h) * s.in[2] + w);
  return static_cast<const T*>(a.x) + pixel * a.channels + c;
}

template <class T>
constexpr T lowest() {
  if constexpr (std::numeric_limits<T>::has_infinity) return -std::numeric_limits<T>::infinity();
  return std::numeric_limits<T>::min();
}

template <class T>
bool replaces(T candidate, T best) {
  return candidate > best || candidate != candidate;  // NaN stays once it is there: nothing is greater
}

template <class T>
void max_with_indices(const PoolArgs& a, size_t c0, size_t count, size_t i, const PoolPatch& p) {
  const Window& s = a.window;
  T* y = static_cast<T*>(a.y) + i * a.channels + c0;
  int64_t spatial[kStrip] = {};
  std::fill(y, y + count, lowest<T>());
  bool first = true;
  each_tap(s, p, [&](int64_t d, int64_t h, int64_t w) {
    const T* x = pixel_at<T>(a, p, d, h, w, c0);
    const int64_t at = a.column_major ? d + s.in[0] * (h + s.in[1] * w) : (d * s.in[1] + h) * s.in[2] + w;
    for (size_t c = 0; c < count; ++c)
      if (first || (replaces(x[c], y[c]) && y[c] == y[c])) y[c] = x[c], spatial[c] = at;
    first = false;
  });
  const auto plane = static_cast<int64_t>(s.in_count());
  for (size_t c = 0; c < count; ++c)
    a.indices[i * a.channels + c0 + c] =
        static_cast<int64_t>(p.image * a.channels + c0 + c) * plane + spatial[c];
}

}  // namespace

template <class T>
void max_pool_ref(const PoolArgs& a, Range pixels) {
  each_strip(a, pixels, [&](size_t c0, size_t count, size_t i, const Pixel&, const PoolPatch& p) {
    if (a.indices != nullptr) return max_with_indices<T>(a, c0, count, i, p);
    T best[kStrip];
    std::fill(best, best + count, lowest<T>());
    each_tap(a.window, p, [&](int64_t d, int64_t h, int64_t w) {
      const T* x = pixel_at<T>(a, p, d, h, w, c0);
      for (size_t c = 0; c < count; ++c) best[c] = replaces(x[c], best[c]) ? x[c] : best[c];
    });
    std::copy(best, best + count, static_cast<T*>(a.y) + i * a.channels + c0);
  });
}
template void max_pool_ref<float>(const PoolArgs&, Range);
template void max_pool_ref<double>(const PoolArgs&, Range);
template void max_pool_ref<int8_t>(const PoolArgs&, Range);
template void max_pool_ref<uint8_t>(const PoolArgs&, Range);

void average_pool_f32_ref(const PoolArgs& a, Range pixels) {
  each_strip(a, pixels, [&](size_t c0, size_t count, size_t i, const Pixel& at, const PoolPatch& p) {
    float sum[kStrip] = {};
    each_tap(a.window, p, [&](int64_t d, int64_t h, int64_t w) {
      const float* x = pixel_at<float>(a, p, d, h, w, c0);
      for (size_t c = 0; c < count; ++c) sum[c] += x[c];
    });
    const int64_t taps = count_of(a.count_padding ? patch_of(a.window, at, true) : p);
    float* y = static_cast<float*>(a.y) + i * a.channels + c0;
    for (size_t c = 0; c < count; ++c) y[c] = taps == 0 ? 0.0f : sum[c] / static_cast<float>(taps);
  });
}

template <class T>
void average_pool_codes_ref(const PoolArgs& a, Range pixels) {
  each_strip(a, pixels, [&](size_t c0, size_t count, size_t i, const Pixel& at, const PoolPatch& p) {
    uint32_t sum[kStrip] = {};  // |sum| <= 255 * taps; wraps beyond 2^23 taps
    each_tap(a.window, p, [&](int64_t d, int64_t h, int64_t w) {
      const T* x = pixel_at<T>(a, p, d, h, w, c0);
      for (size_t c = 0; c < count; ++c) sum[c] += static_cast<uint32_t>(x[c] - a.x_zero);
    });
    const int64_t taps = count_of(a.count_padding ? patch_of(a.window, at, true) : p);
    const float scale = taps == 0 ? 0.0f : a.scale / static_cast<float>(taps);
    T* y = static_cast<T*>(a.y) + i * a.channels + c0;
    for (size_t c = 0; c < count; ++c)
      y[c] = static_cast<T>(requantize(static_cast<int32_t>(sum[c]), scale, a.y_zero,
                                       std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  });
}
template void average_pool_codes_ref<int8_t>(const PoolArgs&, Range);
template void average_pool_codes_ref<uint8_t>(const PoolArgs&, Range);

void lp_pool_f32_ref(const PoolArgs& a, Range pixels) {
  const auto power = static_cast<float>(a.p);
  each_strip(a, pixels, [&](size_t c0, size_t count, size_t i, const Pixel&, const PoolPatch& p) {
    float sum[kStrip] = {};
    each_tap(a.window, p, [&](int64_t d, int64_t h, int64_t w) {
      const float* x = pixel_at<float>(a, p, d, h, w, c0);
      for (size_t c = 0; c < count; ++c)
        sum[c] += a.p == 1 ? std::fabs(x[c]) : a.p == 2 ? x[c] * x[c] : std::pow(std::fabs(x[c]), power);
    });
    float* y = static_cast<float*>(a.y) + i * a.channels + c0;
    for (size_t c = 0; c < count; ++c)
      y[c] = a.p == 1 ? sum[c] : a.p == 2 ? std::sqrt(sum[c]) : std::pow(sum[c], 1.0f / power);
  });
}

}  // namespace pith::kernels
