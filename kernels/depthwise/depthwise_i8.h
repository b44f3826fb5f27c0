// Depthwise convolution of i8 codes, channels last, requantized: every channel has its own kernel.
//   y[n, p, c] = requantize(bias[c] + sum over taps t of (x[n, p * stride - pad + t * dilation, c] - x_zero) * w[c, t])
//
// Four neighbouring pixels are transposed, so that one 32-bit lane holds one channel of all four, and a dot product of
// bytes multiplies them by four taps. Shifting the taps within the lane gives the next output pixel from the same
// transposed data: | w0 w1 w2 0 | and | 0 w0 w1 w2 |.
//
// Weights, layout I8D, Cp = C rounded up to 16, D = kernel width / 4 rounded up:
//   W  kh * D rows of 4 Cp bytes   byte (ky * D + d) * 4 Cp + 4 c + j = w[c][ky][4 d + j], 0 behind the kernel; s8 in [-127, 127]
//   T  12 Cp bytes                 ksum i32[Cp] = sum of w | scale f32[Cp] | bias f32[Cp]
// Example: 3x3, C = 8: Cp = 16, W 3 rows of 64, T 192: 384 bytes. w[5][2][1] is byte 2 * 64 + 4 * 5 + 1 = 149.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/kernel_list.h"
#include "kernels/base/types.h"

namespace pith::kernels {

inline constexpr size_t kDepthwiseMaxWidth = 8;  // of the kernel, in taps
inline constexpr size_t kDepthwiseMaxHeight = 8;
inline constexpr size_t kDepthwiseBlock = 64;  // channels that the widest vector holds

// Output rows [row, row + rows) of one image. Input rows pass through `ring` in scratch, a block of channels at a time:
// with their padding, as u8 codes for kernels with flip 0x80, else as i8.
struct DepthwiseI8Rows {
  const uint8_t* x;      // the image
  const uint8_t* x_end;  // of all images: nothing is read from there on
  uint8_t mask;          // x ^ mask is what the kernel reads
  uint8_t pad;           // the same of the zero point
  size_t in_h, in_w, pad_top, pad_left;
  size_t row, rows, columns, channels;  // of the output
  size_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  uint8_t* ring;  // ring_rows rows of row_pixels pixels of kDepthwiseBlock bytes
  size_t ring_rows, row_pixels;
  const int8_t* w;
  const int32_t* start;        // [depthwise_channels]: bias - (x_zero + flip) * ksum
  const float* scale;          // likewise
  int8_t* y;                   // row `row`
  int32_t y_zero, y_lo, y_hi;  // of i8 codes
  uint8_t y_flip;              // 0x80: y gets u8 codes
};
using DepthwiseI8Fn = void (*)(const DepthwiseI8Rows& rows);
using CopyCodesFn = void (*)(uint8_t* to, const uint8_t* from, size_t n,
                             uint8_t mask);  // kernels/conv/conv_i8_tile.h

struct DepthwiseI8Kernel {
  const char* name;
  DepthwiseI8Fn run;
  uint32_t needs;  // Cpu bits
  uint8_t flip;
  uint8_t speed;  // about this many multiply-adds in a nanosecond
};
using DepthwiseI8Kernels = KernelList<DepthwiseI8Kernel>;
DepthwiseI8Kernels depthwise_i8_kernels();  // best first; the last needs nothing
const DepthwiseI8Kernel& select_depthwise_i8(Cpu cpu);

constexpr size_t depthwise_channels(size_t c) { return (c + 15) / 16 * 16; }
constexpr size_t depthwise_dwords(size_t kernel_w) { return (kernel_w + 3) / 4; }
constexpr size_t depthwise_tail(size_t channels, size_t kernel_h, size_t kernel_w) {
  return kernel_h * depthwise_dwords(kernel_w) * 4 * depthwise_channels(channels);
}
constexpr size_t depthwise_bytes(size_t channels, size_t kernel_h, size_t kernel_w) {
  return depthwise_tail(channels, kernel_h, kernel_w) + 12 * depthwise_channels(channels);
}
static_assert(depthwise_bytes(8, 3, 3) == 384);

// w[C, kh, kw] with scales (one per channel) to layout I8D and back; bias is zero in a packed tensor.
void pack_depthwise_i8(const int8_t* w, const float* scales, size_t channels, size_t kernel_h,
                       size_t kernel_w, void* packed);
void unpack_depthwise_i8(const void* packed, size_t channels, size_t kernel_h, size_t kernel_w, int8_t* w,
                         float* scales);
// Points into packed bytes.
inline const int32_t* depthwise_sums(const void* packed, size_t channels, size_t kernel_h, size_t kernel_w) {
  const void* tail = static_cast<const char*>(packed) + depthwise_tail(channels, kernel_h, kernel_w);
  return static_cast<const int32_t*>(tail);
}
inline const float* depthwise_scales(const void* packed, size_t channels, size_t kernel_h, size_t kernel_w) {
  const void* sums = depthwise_sums(packed, channels, kernel_h, kernel_w) + depthwise_channels(channels);
  return static_cast<const float*>(sums);
}

struct DepthwiseI8Shape {
  size_t images, in_h, in_w, out_h, out_w, channels;
  size_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
};
struct DepthwiseI8Plan {
  DepthwiseI8Shape shape;
  const DepthwiseI8Kernel* kernel;
  uint8_t mask;                  // x ^ mask is what the kernel reads
  size_t ring_rows, row_pixels;  // of scratch
  size_t scratch_bytes;          // for each caller at a time, 64-byte aligned
};
// False: the kernel is larger than the limits above.
bool plan_depthwise_i8(const DepthwiseI8Shape& shape, const DepthwiseI8Kernel& kernel, bool x_is_u8,
                       DepthwiseI8Plan* plan);

struct DepthwiseI8Args {
  const void* x;  // i8 or u8 codes
  const int8_t* w;
  const int32_t* start;
  const float* scale;
  void* y;
  int32_t x_zero;              // of x as it is stored
  int32_t y_zero, y_lo, y_hi;  // of i8 codes
  uint8_t y_flip;
};
// Output rows of all images, counted through.
void depthwise_i8(const DepthwiseI8Plan& plan, const DepthwiseI8Args& a, Range rows, uint8_t* scratch);

}  // namespace pith::kernels
