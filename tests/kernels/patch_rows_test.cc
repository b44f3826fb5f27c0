// Patches under a window against loops over every tap; no byte is read outside the input.
#include "kernels/conv/patch_rows.h"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "tests/support/guarded_bytes.h"
#include "tests/support/random_values.h"

namespace pith::kernels {
namespace {

PatchShape random_shape(test::Random& random, size_t* channels) {
  PatchShape s{};
  for (int d = 0; d < 3; ++d) {
    Window& w = s.window;
    const bool unused = random.integer(0, 2) == 0 && d < 2;
    w.in[d] = unused ? 1 : random.integer(1, 7);
    w.kernel[d] = unused ? 1 : random.integer(1, 4);
    w.stride[d] = unused ? 1 : random.integer(1, 3);
    w.dilation[d] = unused ? 1 : random.integer(1, 3);
    w.pad[d] = unused ? 0 : random.integer(0, 4);
    const int64_t reach = (w.kernel[d] - 1) * w.dilation[d] + 1;
    w.pad_end[d] = std::max<int64_t>(unused ? 0 : random.integer(0, 3), reach - w.in[d] - w.pad[d]);
    w.out[d] = (w.in[d] + w.pad[d] + w.pad_end[d] - reach) / w.stride[d] + 1;
  }
  *channels = static_cast<size_t>(random.integer(1, 9));
  s.pixel_bytes = *channels;
  s.run_bytes = (static_cast<size_t>(s.window.kernel[2]) * *channels + 3) / 4 * 4;
  return s;
}

// The byte of tap (p, l, t), channel c under output pixel `at`.
uint8_t expected(const PatchShape& s, const uint8_t* x, const Pixel& at, const int64_t (&tap)[3], size_t c,
                 uint8_t pad) {
  size_t index = at.image;
  for (int d = 0; d < 3; ++d) {
    const int64_t in = at.at[d] * s.window.stride[d] - s.window.pad[d] + tap[d] * s.window.dilation[d];
    if (in < 0 || in >= s.window.in[d]) return pad;
    index = index * static_cast<size_t>(s.window.in[d]) + static_cast<size_t>(in);
  }
  return x[index * s.pixel_bytes + c];
}

void check_row(const PatchShape& s, const uint8_t* x, const Pixel& at, uint8_t pad, const uint8_t* row) {
  const Window& w = s.window;
  for (int64_t p = 0; p < w.kernel[0]; ++p)
    for (int64_t l = 0; l < w.kernel[1]; ++l, row += s.run_bytes)
      for (size_t i = 0; i < s.run_bytes; ++i) {
        const auto t = static_cast<int64_t>(i / s.pixel_bytes);
        const int64_t tap[3] = {p, l, t};
        REQUIRE(row[i] == (t < w.kernel[2] ? expected(s, x, at, tap, i % s.pixel_bytes, pad) : pad));
      }
}

}  // namespace

TEST_CASE("patches hold what lies under every tap, for any stride, dilation and padding") {
  test::Random random(11);
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    size_t channels = 0;
    PatchShape s = random_shape(random, &channels);
    const auto images = static_cast<size_t>(random.integer(1, 2));
    const test::GuardedBytes x(images * s.window.in_count() * s.pixel_bytes);
    for (size_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<uint8_t>(random.next());
    const size_t pixels = images * s.pixels_per_image();
    const auto begin = static_cast<size_t>(random.integer(0, static_cast<int64_t>(pixels) - 1));
    const auto end =
        static_cast<size_t>(random.integer(static_cast<int64_t>(begin), static_cast<int64_t>(pixels)));
    s.pitch = random.integer(0, 1) == 0 ? 0 : s.row_bytes() + static_cast<size_t>(random.integer(0, 9));
    const size_t pitch = s.pitch == 0 ? s.row_bytes() : s.pitch;
    const test::GuardedBytes rows((end - begin) * pitch);
    const auto pad = static_cast<uint8_t>(random.next());
    gather_patches(s, pad, x.data(), {begin, end}, rows.data());
    Pixel at = pixel_of(s.window, begin);
    for (size_t i = begin; i < end; ++i, next_pixel(s.window, &at))
      check_row(s, x.data(), at, pad, rows.data() + (i - begin) * pitch);
  }
}

TEST_CASE("only windows of one pixel that visit each pixel once need no gathering") {
  PatchShape s{{{1, 5, 6}, {1, 5, 6}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}}, 8, 8};
  CHECK(is_plain(s));
  PatchShape padded_run = s;
  padded_run.run_bytes = 12;
  CHECK_FALSE(is_plain(padded_run));
  PatchShape strided = s;
  strided.window.stride[2] = 2, strided.window.out[2] = 3;
  CHECK_FALSE(is_plain(strided));
  PatchShape padded = s;
  padded.window.pad[1] = 1, padded.window.out[1] = 6;
  CHECK_FALSE(is_plain(padded));
  PatchShape wide = s;
  wide.window.kernel[2] = 2, wide.window.out[2] = 5, wide.run_bytes = 16;
  CHECK_FALSE(is_plain(wide));
}

}  // namespace pith::kernels
