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

// Weights by distance d from the centre, in pixels of the coarser grid. bilinear: 1 - |d|, |d| < 1. bicubic: Keys (1981)
// with a = -1/2, |d| < 2. lanczos: sinc(d) sinc(d / 3), |d| < 3. The same as Pillow's filters of these names.
enum class Filter : uint8_t { bilinear, bicubic, lanczos };

// Separable resize, pixel centres at half-integers; beyond the border there is nothing, the other weights share. With
// `antialias` a shrinking axis averages over all pixels under the filter stretched by the shrink factor (Pillow, torchvision);
// without, it looks at as many pixels as when growing (with bilinear: OpenCV's INTER_LINEAR). Both agree when growing.
Pixels resize(const Pixels& in, int64_t height, int64_t width, Filter filter, bool antialias,
              Rounding rounding);

// `margin` more rows and columns on every side, mirrored at the outermost pixels (which are not repeated);
// margin < height, width.
Pixels mirror_pad(const Pixels& in, int64_t margin);

// Rows and columns from floor((size - wanted) / 2); the wanted size must not exceed the image.
Pixels center_crop(const Pixels& in, int64_t height, int64_t width);

// RGB <-> BGR; 3 channels.
void swap_red_blue(Pixels* image);

Pixels from_planes(int64_t height, int64_t width, int64_t channels, const std::vector<double>& chw);
std::vector<double> to_planes(const Pixels& image);

}  // namespace pith::data
