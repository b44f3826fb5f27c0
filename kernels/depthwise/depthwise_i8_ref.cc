// The depthwise loop in plain C++, and the choice of a kernel.
#include <cstring>

#include "kernels/base/requant.h"
#include "kernels/depthwise/depthwise_i8.h"

namespace pith::kernels {
namespace {

int8_t one_output(const DepthwiseI8Rows& a, const uint8_t* x, size_t c) {
  const size_t dwords = depthwise_dwords(a.kernel_w), w_row = 4 * depthwise_channels(a.channels);
  auto acc = static_cast<uint32_t>(a.start[c]);
  for (size_t ky = 0; ky < a.kernel_h; ++ky)
    for (size_t t = 0; t < a.kernel_w; ++t) {
      const int8_t w = a.w[(ky * dwords + t / 4) * w_row + 4 * c + t % 4];
      acc += static_cast<uint32_t>(static_cast<int8_t>(x[ky * a.kernel_row_bytes + t * a.tap_bytes + c]) * w);
    }
  return static_cast<int8_t>(requantize(static_cast<int32_t>(acc), a.scale[c], a.y_zero, a.y_lo, a.y_hi) ^
                             a.y_flip);
}

}  // namespace

void depthwise_i8_ref(const DepthwiseI8Rows& a) {
  for (size_t row = 0; row < a.rows; ++row)
    for (size_t column = 0; column < a.columns; ++column) {
      const uint8_t* x = a.x + row * a.row_bytes + column * a.stride_w * a.pixel_bytes;
      int8_t* y = a.y + (row * a.columns + column) * a.channels;
      for (size_t c = 0; c < a.channels; ++c) y[c] = one_output(a, x, c);
    }
}

#define KERNEL(name, needs, flip, speed)                 \
  void depthwise_i8_##name(const DepthwiseI8Rows& rows); \
  void copy_codes_##name(uint8_t*, const uint8_t*, size_t, uint8_t);
#include "kernels/depthwise/depthwise_i8_list.inc"
#undef KERNEL

DepthwiseI8Kernels depthwise_i8_kernels() {
  static constexpr DepthwiseI8Kernel kAll[] = {
#define KERNEL(name, needs, flip, speed) {#name, depthwise_i8_##name, copy_codes_##name, needs, flip, speed},
#include "kernels/depthwise/depthwise_i8_list.inc"
#undef KERNEL
  };
  return {kAll, sizeof kAll / sizeof kAll[0]};
}

const DepthwiseI8Kernel& select_depthwise_i8(Cpu cpu) {
  const DepthwiseI8Kernels all = depthwise_i8_kernels();
  size_t i = 0;
  while (!cpu.has(all.data[i].needs)) ++i;
  return all.data[i];
}

}  // namespace pith::kernels
