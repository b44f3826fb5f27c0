// The innermost step of an i8 convolution or product: a tile of pixels times one panel of output channels.
//
//   acc[r, n] = start[n] + sum over runs i, bytes b of x[rows[r] + runs[i] + b] * w[n, i * run_bytes + b]
//   y[r, n]   = clamp(round_half_even(float(acc) * scale[n]) + y_zero, y_lo, y_hi)       kernels/base/requant.h
//
// Kernels that multiply unsigned by signed bytes read x as u8 (flip 0x80: i8 code ^ 0x80 = code + 128), the others as
// i8; `start` holds bias - (x_zero + flip) * sum of w with x_zero of the i8 code, so both give the same sums. Kernels whose
// code_bytes is 2 have flip 0x80 and read codes widened by zeros: x[rows[r] + runs[i] + 2 b].
// y_flip 0x80 turns the i8 result into u8 codes.
// A panel is `width` channels (8, 16, 24 or 32), K interleaved by 4 (layout I8C):
//   | c0: k0 k1 k2 k3 | c1: k0 k1 k2 k3 | .. | c(width-1) |   then k4..k7 ..        byte = k/4 * 4 width + 4 c + k%4
// Weights lie in [-127, 127]. Requires |acc| * scale < 2^31.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/kernel_list.h"

namespace pith::kernels {

struct ConvI8Tile {
  const uint8_t* const* rows;   // first input byte of each pixel
  const uint32_t* runs;         // byte offsets from it, one per run of neighbouring bytes
  size_t run_count, run_bytes;  // run_bytes: of weights, that is codes; a multiple of 4
  const int8_t* w;              // the panel
  size_t width, columns;        // columns <= width channels exist in y
  const int32_t* start;         // [width]
  const float* scale;           // [width]
  int8_t* y;
  size_t y_stride;             // bytes from pixel to pixel
  int32_t y_zero, y_lo, y_hi;  // of i8 codes
  uint8_t y_flip;
};

// 1 <= rows <= the kernel's tile height.
using ConvI8TileFn = void (*)(const ConvI8Tile& tile, size_t rows);
// to[i] = from[i] ^ mask, in code_bytes each. Writes n codes and no others; reads n bytes and no others.
using CopyCodesFn = void (*)(uint8_t* to, const uint8_t* from, size_t n, uint8_t mask);

inline constexpr size_t kConvI8MaxRows = 10;

struct ConvI8Kernel {
  const char* name;
  ConvI8TileFn tile;
  CopyCodesFn copy;
  uint32_t needs;                  // Cpu bits
  uint8_t rows_wide, rows_narrow;  // tile height for panels wider than 16 channels, and for others
  uint8_t flip, code_bytes;
  uint8_t speed;  // about this many multiply-adds in a nanosecond
};
// Every kernel of conv_i8_list.inc, best first; the last one needs nothing.
using ConvI8Kernels = KernelList<ConvI8Kernel>;
ConvI8Kernels conv_i8_kernels();
const ConvI8Kernel& select_conv_i8(Cpu cpu);

}  // namespace pith::kernels
