// Depthwise weights to layout I8D (drawn in depthwise_i8.h) and back.
#include <cstring>

#include "kernels/depthwise/depthwise_i8.h"

namespace pith::kernels {
namespace {

// Calls f(byte in the packed plane, index of w) for every weight.
template <class F>
void each_weight(size_t channels, size_t kernel_h, size_t kernel_w, F&& f) {
  const size_t row = 4 * depthwise_channels(channels), dwords = depthwise_dwords(kernel_w);
  for (size_t c = 0; c < channels; ++c)
    for (size_t ky = 0; ky < kernel_h; ++ky)
      for (size_t t = 0; t < kernel_w; ++t)
        f((ky * dwords + t / 4) * row + 4 * c + t % 4, (c * kernel_h + ky) * kernel_w + t);
}

}  // namespace

void pack_depthwise_i8(const int8_t* w, const float* scales, size_t channels, size_t kernel_h,
                       size_t kernel_w, void* packed) {
  std::memset(packed, 0, depthwise_bytes(channels, kernel_h, kernel_w));
  auto* bytes = static_cast<int8_t*>(packed);
  each_weight(channels, kernel_h, kernel_w, [&](size_t at, size_t from) { bytes[at] = w[from]; });
  void* tail = bytes + depthwise_tail(channels, kernel_h, kernel_w);
  auto* sums = static_cast<int32_t*>(tail);
  const size_t taps = kernel_h * kernel_w;
  for (size_t i = 0; i < channels * taps; ++i) sums[i / taps] += w[i];
  void* behind = sums + depthwise_channels(channels);
  std::memcpy(behind, scales, channels * sizeof(float));
}

void unpack_depthwise_i8(const void* packed, size_t channels, size_t kernel_h, size_t kernel_w, int8_t* w,
                         float* scales) {
  const auto* bytes = static_cast<const int8_t*>(packed);
  each_weight(channels, kernel_h, kernel_w, [&](size_t at, size_t to) { w[to] = bytes[at]; });
  if (scales != nullptr)
    std::memcpy(scales, depthwise_scales(packed, channels, kernel_h, kernel_w), channels * sizeof(float));
}

}  // namespace pith::kernels
