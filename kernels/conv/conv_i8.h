// Convolution and product of i8 codes, channels last, requantized, over weights in panels (layout I8C):
//   y[n, p, o] = requantize(bias[o] + sum over taps t, c of (x[n, p * stride - pad + t * dilation, c] - x_zero) * w[o, t, c])
// Padding counts as x_zero. A product x[M, K] . w[N, K] is the same with M pixels of K channels.
//
// Input rows are copied, with their padding and as the kernel reads them (flipped or widened), to scratch (band by band, so that they stay in cache), and
// each tile reads them through row pointers: a kernel row of kw * C neighbouring bytes is one run of K.
//
//   ConvI8Plan plan;  if (!plan_conv_i8(shape, kernel, &plan)) ...     // once per shape
//   conv_i8(plan, args, {first pixel, end}, {first panel, end}, scratch)  // any split; scratch: plan.scratch_bytes
#pragma once
#include "kernels/base/types.h"
#include "kernels/conv/conv_i8_tile.h"

namespace pith::kernels {

// Weights [outputs, rows, run]: kernel rows of kw * C bytes, or one row of K. In layout I8C a run is rounded up to 4, so
// that it begins with a 4-byte group: K = rows * conv_i8_run(run).
struct ConvI8Weights {
  size_t outputs, rows, run;
};
constexpr size_t conv_i8_run(size_t run) { return (run + 3) / 4 * 4; }
size_t conv_i8_bytes(const ConvI8Weights& s);
// w: codes in [-127, 127] whose zero points are 0 (in [-128, 127] where no kernel of flip 0 will read them).
void pack_conv_i8(const ConvI8Weights& s, const int8_t* w, const float* scales, void* packed);
void unpack_conv_i8(const ConvI8Weights& s, const void* packed, int8_t* w,
                    float* scales);  // either may be null
void conv_i8_sums(const ConvI8Weights& s, const void* packed, int32_t* sums);

struct ConvI8Shape {
  size_t images, in_h, in_w, out_h, out_w, in_channels, out_channels;
  size_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
};

inline constexpr size_t kConvI8MaxRuns = 64;

struct ConvI8Plan {
  ConvI8Shape shape;
  const ConvI8Kernel* kernel;
  // flat: pixels do not share input (1x1 without padding). direct: read where they are, without a copy.
  bool flat, direct;
  uint8_t mask;                        // x ^ mask is what the kernel reads
  size_t pixels, panels, panel_bytes;  // of a full panel
  size_t pixel_bytes;                  // between neighbouring input pixels in scratch
  size_t row_pixels, row_bytes;        // of one input row in scratch; not for flat
  size_t band_rows, band_pixels;       // most output rows (flat: pixels) that share a copy
  size_t run_count, run_bytes;
  uint32_t runs[kConvI8MaxRuns];
  size_t scratch_bytes;  // for each caller at a time; 0 when direct
};
// K as the panels hold it: rows of the kernel, each rounded up to 4 bytes.
size_t conv_i8_k(const ConvI8Shape& s);
// False: the kernel cannot do it (too many runs, dilated columns of channels that are no multiple of 4).
// x_is_u8: unsigned codes; they are what kernels with flip 0x80 want to read.
bool plan_conv_i8(const ConvI8Shape& shape, const ConvI8Kernel& kernel, bool x_is_u8, ConvI8Plan* plan);

struct ConvI8Args {
  const void* x;         // i8 or u8 codes
  const int8_t* w;       // panel 0; panel p at w + p * panel_bytes
  const int32_t* start;  // [panels * 32]: bias - (x_zero + flip) * sum of w
  const float* scale;    // [panels * 32]
  void* y;
  int32_t x_zero;              // of x as it is stored
  int32_t y_zero, y_lo, y_hi;  // of i8 codes
  uint8_t y_flip;              // 0x80: y gets u8 codes
};
void conv_i8(const ConvI8Plan& plan, const ConvI8Args& a, Range pixels, Range panels, uint8_t* scratch);

}  // namespace pith::kernels
