// The loops around the tile: bands of input rows, panels, tiles.
#include "kernels/conv/conv_i8.h"

#include <algorithm>
#include <cstring>

namespace pith::kernels {
namespace {

constexpr size_t kPanel = 32;
// Input of a band stays in the first-level cache beside the weights of a panel.
constexpr size_t kBandBytes = 24 << 10;
constexpr size_t kSlack = 64;
constexpr size_t kWideBandBytes =
    48 << 10;  // of codes in 16 bits: in the second-level cache rather than twice the overlap

size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

bool make_runs(const ConvI8Shape& s, ConvI8Plan* p) {
  const bool joined = s.dilation_w == 1 || s.kernel_w == 1;
  if (!joined && s.in_channels % 4 != 0) return false;
  p->run_count = s.kernel_h * (joined ? 1 : s.kernel_w);
  if (p->run_count > kConvI8MaxRuns) return false;
  p->run_bytes = round_up(joined ? s.kernel_w * s.in_channels : s.in_channels, 4);
  const size_t columns = joined ? 1 : s.kernel_w;
  for (size_t i = 0; i < p->run_count; ++i) {
    const size_t at = i / columns * s.dilation_h * p->row_bytes + i % columns * s.dilation_w * p->pixel_bytes;
    if (at > UINT32_MAX) return false;
    p->runs[i] = static_cast<uint32_t>(at);
  }
  return true;
}

// Input rows that `rows` output rows read.
size_t reach(const ConvI8Shape& s, size_t rows) {
  return (rows - 1) * s.stride_h + (s.kernel_h - 1) * s.dilation_h + 1;
}

class ConvRun {
 public:
  ConvRun(const ConvI8Plan& plan, const ConvI8Args& a, Range panels, uint8_t* scratch)
      : plan_(plan), s_(plan.shape), a_(a), panels_(panels), scratch_(scratch) {}

  // Pixels [begin, end) of the output, whose input is copied by `fill`.
  void flat_band(size_t begin, size_t end) {
    base_ = plan_.direct ? static_cast<const uint8_t*>(a_.x) : scratch_;
    if (plan_.direct)
      base_ += begin * plan_.pixel_bytes;
    else
      copy_pixels(begin, end);
    first_ = begin;
    multiply(begin, end);
  }
  void row_band(size_t begin, size_t end) {
    const size_t row = begin / s_.out_w, last = (end - 1) / s_.out_w;
    const size_t image = row / s_.out_h;
    if (plan_.direct) {
      base_ = static_cast<const uint8_t*>(a_.x) +
              (image * s_.in_h + row % s_.out_h * s_.stride_h) * plan_.row_bytes;
    } else {
      copy_rows(image, row % s_.out_h, last - row + 1);
      base_ = scratch_;
    }
    first_ = row;
    multiply(begin, end);
  }

 private:
  void copy_pixels(size_t begin, size_t end) {
    const auto* x = static_cast<const uint8_t*>(a_.x);
    const size_t bytes = s_.in_channels;
    if (s_.stride_h == 1 && s_.stride_w == 1 && plan_.pixel_bytes == bytes * plan_.kernel->code_bytes)
      return plan_.kernel->copy(scratch_, x + begin * bytes, (end - begin) * bytes, plan_.mask);
    uint8_t* to = scratch_;
    for (size_t p = begin; p < end; ++p, to += plan_.pixel_bytes) {
      const size_t row = p / s_.out_w, column = p % s_.out_w;
      const size_t in_row = row / s_.out_h * s_.in_h + row % s_.out_h * s_.stride_h;
      plan_.kernel->copy(to, x + (in_row * s_.in_w + column * s_.stride_w) * bytes, bytes, plan_.mask);
    }
  }
  // Input rows under output rows [row, row + count) of one image, with padding.
  void copy_rows(size_t image, size_t row, size_t count) {
    const auto* x = static_cast<const uint8_t*>(a_.x) + image * s_.in_h * s_.in_w * s_.in_channels;
    const size_t c = s_.in_channels, bytes = c * plan_.kernel->code_bytes,
                 left = std::min(s_.pad_left, plan_.row_pixels);
    const size_t middle = std::min(s_.in_w, plan_.row_pixels - left);
    const size_t right = plan_.row_pixels - left - middle;
    uint8_t* to = scratch_;
    for (size_t i = 0, n = reach(s_, count); i < n; ++i, to += plan_.row_bytes) {
      const size_t in_row = row * s_.stride_h + i;  // counted from the top padding
      if (in_row < s_.pad_top || in_row - s_.pad_top >= s_.in_h) {
        pad(to, plan_.row_bytes);
        continue;
      }
      pad(to, left * bytes);
      plan_.kernel->copy(to + left * bytes, x + (in_row - s_.pad_top) * s_.in_w * c, middle * c, plan_.mask);
      pad(to + (left + middle) * bytes, right * bytes);
    }
  }
  void pad(uint8_t* to, size_t bytes) const {
    const auto code = static_cast<uint8_t>(static_cast<uint8_t>(a_.x_zero) ^ plan_.mask);
    if (plan_.kernel->code_bytes == 1) return void(std::memset(to, code, bytes));
    const auto wide = static_cast<uint16_t>(code);  // kernels that read 16 bits have flip 0x80
    for (size_t i = 0; i < bytes; i += 2) std::memcpy(to + i, &wide, 2);
  }

  // Walks over the first input bytes of neighbouring output pixels.
  struct Walk {
    const uint8_t* at;
    const uint8_t* row;  // of the first pixel in this output row
    size_t left;         // pixels to the end of the row
    size_t step, row_step, row_pixels;
    const uint8_t* next() {
      const uint8_t* here = at;
      at += step;
      if (--left == 0) at = row += row_step, left = row_pixels;
      return here;
    }
  };
  Walk walk_from(size_t p) const {
    if (plan_.flat)
      return {base_ + (p - first_) * plan_.pixel_bytes, base_, SIZE_MAX, plan_.pixel_bytes, 0, 0};
    const size_t row = p / s_.out_w, column = p % s_.out_w, step = s_.stride_w * plan_.pixel_bytes;
    const uint8_t* begin = base_ + (row - first_) * s_.stride_h * plan_.row_bytes;
    return {begin + column * step, begin, s_.out_w - column, step, s_.stride_h * plan_.row_bytes, s_.out_w};
  }

  void multiply(size_t begin, size_t end) {
    for (size_t panel = panels_.begin; panel < panels_.end; ++panel) {
      const size_t channel = panel * kPanel;
      ConvI8Tile t{};
      t.columns = std::min(kPanel, s_.out_channels - channel);
      t.width = round_up(t.columns, 8);
      t.runs = plan_.runs;
      t.run_count = plan_.run_count, t.run_bytes = plan_.run_bytes;
      t.w = a_.w + panel * plan_.panel_bytes;
      t.start = a_.start + channel, t.scale = a_.scale + channel;
      t.y_stride = s_.out_channels;
      t.y_zero = a_.y_zero, t.y_lo = a_.y_lo, t.y_hi = a_.y_hi, t.y_flip = a_.y_flip;
      const size_t height = t.width > 16 ? plan_.kernel->rows_wide : plan_.kernel->rows_narrow;
      tiles(t, begin, end, height);
    }
  }
  // Tiles of nearly equal height.
  void tiles(ConvI8Tile& t, size_t begin, size_t end, size_t height) {
    const size_t count = (end - begin + height - 1) / height, low = (end - begin) / count;
    size_t taller = (end - begin) % count;
    const uint8_t* rows[kConvI8MaxRows];
    t.rows = rows;
    Walk walk = walk_from(begin);
    for (size_t p = begin; p < end;) {
      const size_t n = low + (taller > 0 ? 1 : 0);
      if (taller > 0) --taller;
      for (size_t r = 0; r < n; ++r) rows[r] = walk.next();
      t.y = static_cast<int8_t*>(a_.y) + p * s_.out_channels + static_cast<size_t>(t.start - a_.start);
      plan_.kernel->tile(t, n);
      p += n;
    }
  }

  const ConvI8Plan& plan_;
  const ConvI8Shape& s_;
  const ConvI8Args& a_;
  const Range panels_;
  uint8_t* const scratch_;
  const uint8_t* base_ = nullptr;
  size_t first_ = 0;  // pixel (flat) or output row at base_
};

}  // namespace

size_t conv_i8_k(const ConvI8Shape& s) { return s.kernel_h * conv_i8_run(s.kernel_w * s.in_channels); }

bool plan_conv_i8(const ConvI8Shape& s, const ConvI8Kernel& kernel, bool x_is_u8, ConvI8Plan* p) {
  *p = ConvI8Plan{};
  p->shape = s;
  p->kernel = &kernel;
  p->mask = static_cast<uint8_t>(kernel.flip ^ (x_is_u8 ? 0x80 : 0));
  p->pixels = s.images * s.out_h * s.out_w;
  p->panels = (s.out_channels + kPanel - 1) / kPanel;
  p->panel_bytes = round_up(conv_i8_k(s), 8) * kPanel + 3 * 4 * kPanel;
  const bool inside = s.pad_top == 0 && s.pad_left == 0 && reach(s, s.out_h) <= s.in_h &&
                      (s.out_w - 1) * s.stride_w + (s.kernel_w - 1) * s.dilation_w < s.in_w;
  const bool in_place = p->mask == 0 && kernel.code_bytes == 1 && s.in_channels % 4 == 0 && inside;
  p->flat = s.kernel_h == 1 && s.kernel_w == 1 && inside;
  p->pixel_bytes = (p->flat ? round_up(s.in_channels, 4) : s.in_channels) * kernel.code_bytes;
  p->row_pixels = (s.out_w - 1) * s.stride_w + (s.kernel_w - 1) * s.dilation_w + 1;
  p->direct = in_place && (!p->flat || (s.stride_h == 1 && s.stride_w == 1));
  if (p->direct) p->row_pixels = s.in_w;
  p->row_bytes = p->row_pixels * p->pixel_bytes;
  if (!make_runs(s, p)) return false;
  const size_t band_bytes = kernel.code_bytes == 1 ? kBandBytes : kWideBandBytes;
  if (p->flat) {
    p->band_pixels = std::max<size_t>(band_bytes / p->pixel_bytes, 4 * kernel.rows_wide);
    p->scratch_bytes = p->direct ? 0 : std::min(p->band_pixels, p->pixels) * p->pixel_bytes + kSlack;
    return true;
  }
  const size_t lines = band_bytes / p->row_bytes, extra = (s.kernel_h - 1) * s.dilation_h;
  p->band_rows = lines > extra + s.stride_h ? (lines - extra) / s.stride_h : 1;
  p->band_rows =
      std::min(std::max<size_t>(p->band_rows, (4 * kernel.rows_wide + s.out_w - 1) / s.out_w), s.out_h);
  p->scratch_bytes = p->direct ? 0 : reach(s, p->band_rows) * p->row_bytes + kSlack;
  return true;
}

void conv_i8(const ConvI8Plan& plan, const ConvI8Args& a, Range pixels, Range panels, uint8_t* scratch) {
  ConvRun run(plan, a, panels, scratch);
  for (size_t at = pixels.begin; at < pixels.end;) {
    if (plan.flat) {
      const size_t end = std::min(pixels.end, at + plan.band_pixels);
      run.flat_band(at, end);
      at = end;
      continue;
    }
    const size_t row = at / plan.shape.out_w, image = row / plan.shape.out_h;
    const size_t last = std::min(row + plan.band_rows, (image + 1) * plan.shape.out_h);
    const size_t end = std::min(pixels.end, last * plan.shape.out_w);
    run.row_band(at, end);
    at = end;
  }
}

}  // namespace pith::kernels
