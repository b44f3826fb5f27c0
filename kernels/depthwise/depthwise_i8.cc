// Bands of input rows, copied with their padding, around the depthwise loop.
#include "kernels/depthwise/depthwise_i8.h"

#include <algorithm>
#include <cstring>

namespace pith::kernels {
namespace {

constexpr size_t kBandBytes = 24 << 10;
constexpr size_t kSlack = 64;  // a vector of channels may reach past the last pixel

size_t reach(const DepthwiseI8Shape& s, size_t rows) {
  return (rows - 1) * s.stride_h + (s.kernel_h - 1) * s.dilation_h + 1;
}

// Input rows under output rows [row, row + count) of one image.
void copy_rows(const DepthwiseI8Plan& plan, const DepthwiseI8Args& a, size_t image, size_t row, size_t count,
               uint8_t* to) {
  const DepthwiseI8Shape& s = plan.shape;
  const size_t c = s.channels, in_bytes = s.in_w * c;
  const auto* x = static_cast<const uint8_t*>(a.x) + image * s.in_h * in_bytes;
  const int pad = static_cast<uint8_t>(a.x_zero) ^ plan.mask;
  const size_t left = std::min(s.pad_left, plan.row_pixels),
               middle = std::min(s.in_w, plan.row_pixels - left);
  for (size_t i = 0, n = reach(s, count); i < n; ++i, to += plan.row_bytes) {
    const size_t in_row = row * s.stride_h + i;  // counted from the top padding
    if (in_row < s.pad_top || in_row - s.pad_top >= s.in_h) {
      std::memset(to, pad, plan.row_bytes);
      continue;
    }
    std::memset(to, pad, left * c);
    plan.kernel->copy(to + left * c, x + (in_row - s.pad_top) * in_bytes, middle * c, plan.mask);
    std::memset(to + (left + middle) * c, pad, (plan.row_pixels - left - middle) * c);
  }
}

}  // namespace

bool plan_depthwise_i8(const DepthwiseI8Shape& s, const DepthwiseI8Kernel& kernel, bool x_is_u8,
                       DepthwiseI8Plan* p) {
  if (s.kernel_w > kDepthwiseMaxWidth || s.kernel_h > kDepthwiseMaxHeight) return false;
  const auto mask = static_cast<uint8_t>(kernel.flip ^ (x_is_u8 ? 0x80 : 0));
  *p = DepthwiseI8Plan{s, &kernel, 0, 0, mask, 0, 0};
  // The last group of pixels reads up to 4 D taps from up to 3 outputs behind the last one.
  const size_t last = (s.out_w - 1 + 3) * s.stride_w;
  p->row_pixels = last + (4 * depthwise_dwords(s.kernel_w) - 1) * s.dilation_w + 1;
  p->row_bytes = p->row_pixels * s.channels;
  const size_t lines = kBandBytes / p->row_bytes, extra = (s.kernel_h - 1) * s.dilation_h;
  const size_t rows = lines > extra + s.stride_h ? (lines - extra) / s.stride_h : 1;
  p->band_rows = std::min(std::max<size_t>(rows, 4), s.out_h);
  p->scratch_bytes = reach(s, p->band_rows) * p->row_bytes + kSlack;
  return true;
}

void depthwise_i8(const DepthwiseI8Plan& plan, const DepthwiseI8Args& a, Range rows, uint8_t* scratch) {
  const DepthwiseI8Shape& s = plan.shape;
  DepthwiseI8Rows r{};
  r.x = scratch;
  r.pixel_bytes = s.channels, r.tap_bytes = s.dilation_w * s.channels;
  r.kernel_row_bytes = s.dilation_h * plan.row_bytes, r.row_bytes = s.stride_h * plan.row_bytes;
  r.columns = s.out_w, r.channels = s.channels;
  r.kernel_h = s.kernel_h, r.kernel_w = s.kernel_w, r.stride_w = s.stride_w;
  r.dilated = s.dilation_w != 1;
  r.w = a.w, r.start = a.start, r.scale = a.scale;
  r.y_zero = a.y_zero, r.y_lo = a.y_lo, r.y_hi = a.y_hi, r.y_flip = a.y_flip;
  for (size_t row = rows.begin; row < rows.end; row += r.rows) {
    const size_t image = row / s.out_h, in_image = row % s.out_h;
    r.rows = std::min({rows.end - row, plan.band_rows, s.out_h - in_image});
    copy_rows(plan, a, image, in_image, r.rows, scratch);
    r.y = static_cast<int8_t*>(a.y) + row * s.out_w * s.channels;
    plan.kernel->run(r);
  }
}

}  // namespace pith::kernels
