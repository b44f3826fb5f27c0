// Distance-field strokes and the blur of the sheet, all in integers.
#include "examples/digits/digit_canvas.h"

#include <algorithm>

namespace pith::examples {
namespace {

constexpr int kStep = 4096;  // position along a line, 0..kStep

// Largest r with r * r <= n, for n < 2^46 (spots are at most 2^22 apart).
int64_t square_root(int64_t n) {
  int64_t r = 0;
  for (int64_t bit = int64_t{1} << 22; bit > 0; bit >>= 1)
    if ((r + bit) * (r + bit) <= n) r += bit;
  return r;
}

struct Nearest {
  int along;     // 0..kStep
  int distance;  // 1/256 pixel
};

Nearest nearest_on_line(Spot a, Spot b, Spot p) {
  const int64_t dx = b.x - a.x, dy = b.y - a.y, px = p.x - a.x, py = p.y - a.y;
  const int64_t length2 = dx * dx + dy * dy;
  const int64_t along =
      length2 == 0 ? 0 : std::clamp<int64_t>((px * dx + py * dy) * kStep / length2, 0, kStep);
  const int64_t ex = px - dx * along / kStep, ey = py - dy * along / kStep;
  return {static_cast<int>(along), static_cast<int>(square_root(ex * ex + ey * ey))};
}

// Pixels whose centres lie within `reach` of lo..hi, cut to the sheet.
int first_pixel(int lo, int reach) { return std::clamp((lo - reach) / kPixel - 1, 0, kDigitSide); }
int last_pixel(int hi, int reach) { return std::clamp((hi + reach) / kPixel + 1, 0, kDigitSide); }

}  // namespace

// Calls change(pixel, cover) for the pixels the pen touches; cover is 1..kPixel, falling over one pixel at
// the rim.
template <class Change>
void Canvas::each_covered(PenMark a, PenMark b, Change change) {
  const int reach = std::max(a.radius, b.radius) + kPixel;
  const int right = last_pixel(std::max(a.at.x, b.at.x), reach);
  const int bottom = last_pixel(std::max(a.at.y, b.at.y), reach);
  for (int row = first_pixel(std::min(a.at.y, b.at.y), reach); row < bottom; ++row) {
    for (int column = first_pixel(std::min(a.at.x, b.at.x), reach); column < right; ++column) {
      const Spot centre{column * kPixel + kPixel / 2, row * kPixel + kPixel / 2};
      const Nearest near = nearest_on_line(a.at, b.at, centre);
      const int radius = a.radius + (b.radius - a.radius) * near.along / kStep;
      const int cover = std::min(radius + kPixel / 2 - near.distance, kPixel);
      if (cover > 0) change(at(column, row), cover);
    }
  }
}

void Canvas::draw_line(PenMark a, PenMark b, int ink) {
  each_covered(a, b, [ink](int& pixel, int cover) { pixel = std::max(pixel, ink * cover / kPixel); });
}

void Canvas::erase_line(PenMark a, PenMark b, int strength) {
  each_covered(a, b, [strength](int& pixel, int cover) {
    pixel -= static_cast<int>(int64_t{pixel} * strength * cover / (int64_t{kFullInk} * kPixel));
  });
}

void Canvas::blur() {
  const auto pass = [this](int step_x, int step_y) {
    const auto old = ink_;
    const auto old_at = [&old](int column, int row) {
      const int c = std::clamp(column, 0, kDigitSide - 1), r = std::clamp(row, 0, kDigitSide - 1);
      return old[static_cast<size_t>(r * kDigitSide + c)];
    };
    for (int row = 0; row < kDigitSide; ++row) {
      for (int column = 0; column < kDigitSide; ++column) {
        const int sides = old_at(column - step_x, row - step_y) + old_at(column + step_x, row + step_y);
        at(column, row) = (2 * old_at(column, row) + sides + 2) / 4;
      }
    }
  };
  pass(1, 0);
  pass(0, 1);
}

}  // namespace pith::examples
