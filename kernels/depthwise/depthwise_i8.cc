// Images and rows around the depthwise loop.
#include "kernels/depthwise/depthwise_i8.h"

#include <algorithm>

namespace pith::kernels {
namespace {

// Input that all blocks of channels pass over before the next rows: it stays in the second-level cache.
constexpr size_t kPassBytes = 192 << 10;
constexpr size_t kLeastRows = 8;  // of output in a pass: what a block sets up must pay

}  // namespace

bool plan_depthwise_i8(const DepthwiseI8Shape& s, const DepthwiseI8Kernel& kernel, bool x_is_u8,
                       DepthwiseI8Plan* p) {
  if (s.kernel_w > kDepthwiseMaxWidth || s.kernel_h > kDepthwiseMaxHeight) return false;
  *p = DepthwiseI8Plan{s, &kernel, static_cast<uint8_t>(kernel.flip ^ (x_is_u8 ? 0x80 : 0)), 0, 0, 0};
  // Two output rows may share the ring; the last group of pixels begins at the last output or before it.
  p->ring_rows = s.stride_h + (s.kernel_h - 1) * s.dilation_h + 1;
  p->row_pixels = (s.out_w - 1) * s.stride_w + (4 * depthwise_dwords(s.kernel_w) - 1) * s.dilation_w + 1;
  p->scratch_bytes = p->ring_rows * p->row_pixels * kDepthwiseBlock;
  return true;
}

void depthwise_i8(const DepthwiseI8Plan& plan, const DepthwiseI8Args& a, Range rows, uint8_t* scratch) {
  const DepthwiseI8Shape& s = plan.shape;
  const size_t image_bytes = s.in_h * s.in_w * s.channels;
  const auto* x = static_cast<const uint8_t*>(a.x);
  const size_t pass = std::max(kPassBytes / (s.in_w * s.channels * s.stride_h) / 2 * 2, kLeastRows);
  DepthwiseI8Rows r{};
  r.x_end = x + s.images * image_bytes;
  r.mask = plan.mask, r.pad = static_cast<uint8_t>(static_cast<uint8_t>(a.x_zero) ^ plan.mask);
  r.in_h = s.in_h, r.in_w = s.in_w, r.pad_top = s.pad_top, r.pad_left = s.pad_left;
  r.columns = s.out_w, r.channels = s.channels;
  r.kernel_h = s.kernel_h, r.kernel_w = s.kernel_w;
  r.stride_h = s.stride_h, r.stride_w = s.stride_w, r.dilation_h = s.dilation_h, r.dilation_w = s.dilation_w;
  r.ring = scratch, r.ring_rows = plan.ring_rows, r.row_pixels = plan.row_pixels;
  r.w = a.w, r.start = a.start, r.scale = a.scale;
  r.y_zero = a.y_zero, r.y_lo = a.y_lo, r.y_hi = a.y_hi, r.y_flip = a.y_flip;
  for (size_t row = rows.begin; row < rows.end; row += r.rows) {
    r.x = x + row / s.out_h * image_bytes;
    r.row = row % s.out_h;
    r.rows = std::min({rows.end - row, s.out_h - r.row, pass});
    r.y = static_cast<int8_t*>(a.y) + row * s.out_w * s.channels;
    plan.kernel->run(r);
  }
}

}  // namespace pith::kernels
