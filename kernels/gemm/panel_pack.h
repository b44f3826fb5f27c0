// Packs a weight matrix W[N, K] into panels (kernels/base/panel_layout.h draws the bytes) and reads them back.
//
//   PanelSource w;  w.codes = q;  w.group_scales = s;  w.channel_scale = c;       // all row-major
//   pack_panels({Layout::i4s8, 32, n, k}, w, bytes);                              // panel_matrix_bytes() of them
//
// Example: layout i8c, N = 1, K = 3, w = {1, -2, 3}: one panel of 8 channels, Kp = 8, 2 rows of 32 bytes.
//   bytes 0..3   01 fe 03 00     channel 0, k = 0..3 (k = 3 is padding)
//   bytes 4..63  zero            channels 1..7, and row 1
//   bytes 64..   ksum 2, 0 x 7 | scale, 0 x 7 | bias, 0 x 7    (96 bytes, padded to 128)
#pragma once
#include "kernels/base/float16.h"
#include "kernels/base/panel_layout.h"

namespace pith::kernels {

// Row-major parts of a matrix. G = ceil(K / group). What a layout does not have stays null.
struct PanelSource {
  const int8_t* codes = nullptr;         // [N, K]: i8c -127..127, i4* and tables 0..15 (u, not u - 8)
  const void* group_scales = nullptr;    // [N, G]: int8_t (i4s8, i4a, lut4s8) or f16 (i4f16, lut4)
  const uint8_t* zeros = nullptr;        // [N, G]: i4a, 0..15
  const float* channel_scale = nullptr;  // [N]: i8c, i4s8, i4a
  const f16* halves = nullptr;           // [N, K]: f16_panel
  const float* bias = nullptr;           // [N] or null
};
// The matrix has no panel_fault(); `bytes` takes panel_matrix_bytes(m), aligned to 64.
void pack_panels(const PanelMatrix& m, const PanelSource& from, void* bytes);

// The same parts, written back; null parts are skipped.
struct PanelTarget {
  int8_t* codes = nullptr;
  void* group_scales = nullptr;
  uint8_t* zeros = nullptr;
  float* channel_scale = nullptr;
  f16* halves = nullptr;
  float* bias = nullptr;
};
void unpack_panels(const PanelMatrix& m, const void* bytes, const PanelTarget& to);

// The weights as the kernels understand them, w[n * k]. codebook: 16 values, of layouts with a table.
void unpack_weights(const PanelMatrix& m, const void* bytes, const int8_t* codebook, float* w);

}  // namespace pith::kernels
