// The grid of an int8 tensor: real = scale * (code - zero_point), code in [-128, 127].
// Zero is always a code, so padding and ReLU's floor are exact.
#pragma once
#include <cstdint>

#include "runtime/base/status.h"

namespace pith::quantize {

struct Int8Grid {
  float scale = 1.0f;  // positive, finite, normal
  int32_t zero_point = 0;

  double low() const { return static_cast<double>(scale) * (-128 - zero_point); }
  double high() const { return static_cast<double>(scale) * (127 - zero_point); }
  bool operator==(const Int8Grid&) const = default;
};

// Outputs whose range is known without calibration, as the integer kernels fix them.
inline constexpr Int8Grid kUnitGrid{1.0f / 256.0f, -128};     // sigmoid, softmax: [0, 255/256]
inline constexpr Int8Grid kSignedUnitGrid{1.0f / 128.0f, 0};  // tanh: [-1, 127/128]

enum class Symmetry : uint8_t {
  asymmetric,
  symmetric
};  // symmetric: zero_point 0, codes of the range in [-127, 127]

enum class GridNote : uint8_t {
  exact,       // covers the range asked for
  zero_range,  // the range was [0, 0]: scale 1, nothing to represent
  tiny,        // the scale would have been subnormal and was raised to the smallest normal float
};

struct GridChoice {
  Int8Grid grid;
  GridNote note = GridNote::exact;
};

// Smallest grid that covers [low, high] extended to contain 0, each end within half a step (zero is rounded
// to a code). Refuses NaN, infinities and low > high.
Result<GridChoice> grid_for_range(double low, double high, Symmetry symmetry);

int8_t encode(double value, const Int8Grid& grid);  // ties to even, saturating; NaN gives the zero point
double decode(int8_t code, const Int8Grid& grid);
double round_trip(double value, const Int8Grid& grid);

}  // namespace pith::quantize
