// Copies of neighbouring bytes: memory moves, no arithmetic.
#include "kernels/conv/patch_rows.h"

#include <cstring>

namespace pith::kernels {
namespace {

size_t bytes_of(int64_t pixels, size_t pixel_bytes) { return static_cast<size_t>(pixels) * pixel_bytes; }

void fill(uint8_t* to, uint8_t pad, size_t count) {
  if (count > 0) std::memset(to, pad, count);
}

// As taps_of, without its divisions where the whole window lies inside.
Taps inner_taps(const Window& w, int d, int64_t at) {
  const int64_t start = at * w.stride[d] - w.pad[d];
  if (start >= 0 && start + (w.kernel[d] - 1) * w.dilation[d] < w.in[d]) return {0, w.kernel[d], start};
  return taps_of(w, d, at);
}

// One kernel row; `from`: column 0 of its input row.
void gather_run(const PatchShape& s, uint8_t pad, const uint8_t* from, const Taps& columns, uint8_t* to) {
  const size_t bytes = s.pixel_bytes, left = bytes_of(columns.begin, bytes);
  const size_t end = bytes_of(columns.end, bytes);
  fill(to, pad, left);
  if (s.window.dilation[2] == 1) {
    std::memcpy(to + left, from + bytes_of(columns.start + columns.begin, bytes), end - left);
  } else {
    for (int64_t t = columns.begin; t < columns.end; ++t)
      std::memcpy(to + bytes_of(t, bytes), from + bytes_of(columns.at(t, s.window.dilation[2]), bytes),
                  bytes);
  }
  fill(to + end, pad, s.run_bytes - end);
}

// Where the kernel rows of the patches of one output row begin in x; column 0.
struct LineTaps {
  Taps planes, lines;
  bool outside(int64_t p, int64_t l) const {
    return p < planes.begin || p >= planes.end || l < lines.begin || l >= lines.end;
  }
};

void gather_row(const PatchShape& s, uint8_t pad, const uint8_t* image, const LineTaps& at,
                const Taps& columns, uint8_t* to) {
  const Window& w = s.window;
  for (int64_t p = 0; p < w.kernel[0]; ++p)
    for (int64_t l = 0; l < w.kernel[1]; ++l, to += s.run_bytes) {
      if (at.outside(p, l) || columns.count() == 0) {
        std::memset(to, pad, s.run_bytes);
        continue;
      }
      const int64_t line = at.planes.at(p, w.dilation[0]) * w.in[1] + at.lines.at(l, w.dilation[1]);
      gather_run(s, pad, image + bytes_of(line * w.in[2], s.pixel_bytes), columns, to);
    }
}

}  // namespace

bool is_plain(const PatchShape& s) {
  const Window& w = s.window;
  bool plain = w.taps() == 1 && s.run_bytes == s.pixel_bytes;
  for (int d = 0; d < 3; ++d) plain = plain && w.stride[d] == 1 && w.in[d] == w.out[d];
  return plain;
}

void gather_patches(const PatchShape& s, uint8_t pad, const void* x, Range pixels, void* rows) {
  const size_t image_bytes = s.window.in_count() * s.pixel_bytes;
  const size_t pitch = s.pitch != 0 ? s.pitch : s.row_bytes();
  Pixel at = pixel_of(s.window, pixels.begin);
  auto* to = static_cast<uint8_t*>(rows);
  for (size_t i = pixels.begin; i < pixels.end;) {
    const LineTaps taps{inner_taps(s.window, 0, at.at[0]), inner_taps(s.window, 1, at.at[1])};
    const uint8_t* image = static_cast<const uint8_t*>(x) + at.image * image_bytes;
    do {
      gather_row(s, pad, image, taps, inner_taps(s.window, 2, at.at[2]), to);
      to += pitch;
      next_pixel(s.window, &at);
    } while (++i < pixels.end && at.at[2] != 0);
  }
}

}  // namespace pith::kernels
