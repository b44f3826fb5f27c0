// Operations on one image as doubles in [height][width][channels] order.
#pragma once
#include <cstdint>
#include <vector>

namespace pith::data {

struct Pixels {
  int64_t height = 0, width = 0, channels = 0;
  std::vector<double> values;
};

enum class Rounding : uint8_t {
  none,
  byte,  // half up to 0..255 after each of the two passes, as image libraries do with 8-bit pixels
};

// Bilinear resize, pixel centres at half-integers. With `antialias` a shrinking axis averages over all pixels
// under the triangle filter stretched by the shrink factor (Pillow, torchvision); without, it looks at two
// pixels only (OpenCV's INTER_LINEAR). Both agree when growing.
Pixels resize_bilinear(const Pixels& in, int64_t height, int64_t width, bool antialias, Rounding rounding);

// Rows and columns from floor((size - wanted) / 2); the wanted size must not exceed the image.
Pixels center_crop(const Pixels& in, int64_t height, int64_t width);

// RGB <-> BGR; 3 channels.
void swap_red_blue(Pixels* image);

Pixels from_planes(int64_t height, int64_t width, int64_t channels, const std::vector<double>& chw);
std::vector<double> to_planes(const Pixels& image);

}  // namespace pith::data
