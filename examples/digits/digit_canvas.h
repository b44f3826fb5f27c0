// A 28x28 sheet and a pen: strokes, blur and noise in whole numbers. Lengths are in 1/256 pixel (kPixel), the
// centre of pixel (column, row) lies at (column + 1/2, row + 1/2) pixels; ink goes from 0 (paper) to
// kFullInk.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace pith::examples {

inline constexpr int kDigitSide = 28;
inline constexpr int kDigitPixels = kDigitSide * kDigitSide;
inline constexpr int kPixel = 256;
inline constexpr int kFullInk = 4096;

struct Spot {
  int x, y;  // 1/256 pixel, |value| <= 2^20: squares of differences stay far below 2^63
};

struct PenMark {
  Spot at;
  int radius;  // 1/256 pixel
};

class Canvas {
 public:
  // Draws the line from `a` to `b` with a round pen whose radius goes evenly from a's to b's. Ink does not
  // add up where strokes cross: each pixel keeps its darkest.
  void draw_line(PenMark a, PenMark b, int ink);
  // The same shape takes ink away: at strength kFullInk its middle becomes paper.
  void erase_line(PenMark a, PenMark b, int strength);
  // One pass of the 1-2-1 kernel in each direction; the sheet's edge repeats.
  void blur();

  int& at(int column, int row) { return ink_[static_cast<size_t>(row * kDigitSide + column)]; }
  const std::array<int, kDigitPixels>& ink() const { return ink_; }

 private:
  template <class Change>
  void each_covered(PenMark a, PenMark b, Change change);

  std::array<int, kDigitPixels> ink_{};
};

}  // namespace pith::examples
