// The input under a window as one row per output pixel: what a matrix product needs to be a convolution.
//
//   row of an output pixel = for every kernel row (kd, kh): kw pixels of C channels side by side, rounded up to `run_bytes`
//
// What lies outside the input is `pad`, so are the bytes behind a kernel row. Weights in panels count K the same way
// (runtime/ops/panel_weights.h): each kernel row begins on a multiple of 4.
#pragma once
#include "kernels/base/types.h"
#include "kernels/conv/window.h"

namespace pith::kernels {

struct PatchShape {
  Window window;
  size_t pixel_bytes;  // of one input pixel: C elements
  size_t run_bytes;    // of one kernel row: at least kw * pixel_bytes
  size_t pitch = 0;    // from row to row, 0: row_bytes(); bytes between rows are left alone

  size_t row_bytes() const { return static_cast<size_t>(window.kernel[0] * window.kernel[1]) * run_bytes; }
  size_t pixels_per_image() const { return window.out_count(); }
};

// True: row i is input pixel i as it lies, so nothing need be gathered.
bool is_plain(const PatchShape& s);
// x: channels last, all images; writes (end - begin) rows.
void gather_patches(const PatchShape& s, uint8_t pad, const void* x, Range pixels, void* rows);

}  // namespace pith::kernels
