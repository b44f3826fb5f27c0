// Draws 28x28 grey pictures of hand-like digits: warped, shaken, blurred, noisy, on cluttered paper.
// Deterministic to the byte on every platform (integers only), so the demo's data need no download and its
// accuracies can be repeated.
//   DigitPicture p = draw_digit(3, 0);   // seed, index; p.pixels: 784 bytes by rows, 0 paper .. 255 ink
// Hard on purpose, so that accuracy means something: digits.onnx reads 97 % of them and 99.3 % of MNIST.
#pragma once

#include <array>
#include <cstdint>

#include "examples/digits/digit_canvas.h"

namespace pith::examples {

struct DigitPicture {
  std::array<uint8_t, kDigitPixels> pixels;
  uint8_t label;  // 0..9, each equally likely
};

// Depends on (seed, index) alone: any picture can be drawn without those before it.
DigitPicture draw_digit(uint64_t seed, uint64_t index);

}  // namespace pith::examples
