// The geometry of a sliding window over 1 to 3 spatial dims; unused leading dims have size 1.
// Output o of a dim reads inputs o * stride - pad + t * dilation for taps t in [0, kernel), where they exist.
#pragma once
#include <cstddef>
#include <cstdint>

namespace pith::kernels {

struct Window {
  // All below 2^31; products of one dim fit int64.
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3];
  int64_t pad[3];      // before the first input
  int64_t pad_end[3];  // after the last one

  size_t in_count() const { return static_cast<size_t>(in[0] * in[1] * in[2]); }
  size_t out_count() const { return static_cast<size_t>(out[0] * out[1] * out[2]); }
  size_t taps() const { return static_cast<size_t>(kernel[0] * kernel[1] * kernel[2]); }
};

// Taps [begin, end) of one dim that fall inside the input (or within [-pad, in + pad_end) when `padded`), and
// the input coordinate of tap 0.
struct Taps {
  int64_t begin, end, start;
  int64_t at(int64_t tap, int64_t dilation) const { return start + tap * dilation; }
  int64_t count() const { return end - begin; }
};
inline Taps taps_of(const Window& w, int d, int64_t o, bool padded = false) {
  const int64_t start = o * w.stride[d] - w.pad[d], step = w.dilation[d];
  const int64_t low = padded ? -w.pad[d] : 0, high = padded ? w.in[d] + w.pad_end[d] : w.in[d];
  const int64_t first = start >= low ? 0 : (low - start + step - 1) / step;
  const int64_t last = start >= high ? 0 : (high - start + step - 1) / step;
  const int64_t end = last < w.kernel[d] ? last : w.kernel[d];
  return {first, end > first ? end : first, start};
}

// Position of an output element: image and coordinates, counted up without division.
struct Pixel {
  size_t image;
  int64_t at[3];
};
inline Pixel pixel_of(const Window& w, size_t index) {
  Pixel p{};
  const auto n2 = static_cast<size_t>(w.out[2]), n1 = static_cast<size_t>(w.out[1]),
             n0 = static_cast<size_t>(w.out[0]);
  p.at[2] = static_cast<int64_t>(index % n2);
  p.at[1] = static_cast<int64_t>(index / n2 % n1);
  p.at[0] = static_cast<int64_t>(index / n2 / n1 % n0);
  p.image = index / n2 / n1 / n0;
  return p;
}
inline void next_pixel(const Window& w, Pixel* p) {
  if (++p->at[2] < w.out[2]) return;
  p->at[2] = 0;
  if (++p->at[1] < w.out[1]) return;
  p->at[1] = 0;
  if (++p->at[0] < w.out[0]) return;
  p->at[0] = 0;
  ++p->image;
}

}  // namespace pith::kernels
