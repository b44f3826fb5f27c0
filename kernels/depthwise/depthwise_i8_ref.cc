// The depthwise loop in plain C++, and the choice of a kernel.
#include <cstring>

#include "kernels/base/requant.h"
#include "kernels/depthwise/depthwise_i8.h"

namespace pith::kernels {
namespace {

// Tap (ky, kx) of output (row, column), as an i8 code; padding is the zero point.
int8_t tap(const DepthwiseI8Rows& a, size_t row, size_t column, size_t ky, size_t kx, size_t c) {
  const size_t h = row * a.stride_h + ky * a.dilation_h, w = column * a.stride_w + kx * a.dilation_w;
  const bool inside = h >= a.pad_top && h - a.pad_top < a.in_h && w >= a.pad_left && w - a.pad_left < a.in_w;
  if (!inside) return static_cast<int8_t>(a.pad);
  return static_cast<int8_t>(a.x[((h - a.pad_top) * a.in_w + w - a.pad_left) * a.channels + c] ^ a.mask);
}

int8_t one_output(const DepthwiseI8Rows& a, size_t row, size_t column, size_t c) {
  const size_t dwords = depthwise_dwords(a.kernel_w), w_row = 4 * depthwise_channels(a.channels);
  auto acc = static_cast<uint32_t>(a.start[c]);
  for (size_t ky = 0; ky < a.kernel_h; ++ky)
    for (size_t kx = 0; kx < a.kernel_w; ++kx) {
      const int8_t w = a.w[(ky * dwords + kx / 4) * w_row + 4 * c + kx % 4];
      acc += static_cast<uint32_t>(tap(a, row, column, ky, kx, c) * w);
    }
  return static_cast<int8_t>(requantize(static_cast<int32_t>(acc), a.scale[c], a.y_zero, a.y_lo, a.y_hi) ^
                             a.y_flip);
}

}  // namespace

void depthwise_i8_ref(const DepthwiseI8Rows& a) {
  int8_t* y = a.y;
  for (size_t row = a.row; row < a.row + a.rows; ++row)
    for (size_t column = 0; column < a.columns; ++column)
      for (size_t c = 0; c < a.channels; ++c) *y++ = one_output(a, row, column, c);
}

#define KERNEL(name, needs, flip, speed) void depthwise_i8_##name(const DepthwiseI8Rows& rows);
#include "kernels/depthwise/depthwise_i8_list.inc"
#undef KERNEL

DepthwiseI8Kernels depthwise_i8_kernels() {
  static constexpr DepthwiseI8Kernel kAll[] = {
#define KERNEL(name, needs, flip, speed) {#name, depthwise_i8_##name, needs, flip, speed},
#include "kernels/depthwise/depthwise_i8_list.inc"
#undef KERNEL
  };
  return {kAll, sizeof kAll / sizeof kAll[0]};
}

const DepthwiseI8Kernel& select_depthwise_i8(Cpu cpu) { return best_of(depthwise_i8_kernels(), cpu); }

}  // namespace pith::kernels
