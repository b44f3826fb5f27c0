// Sampling of an image at given places: y[n, c, o] = interpolation of x[n, c, ..] at grid[n, o, :].
// A place has one coordinate per spatial dim, in [-1, 1] across the image, the last dim's coordinate first.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/types.h"

namespace pith::kernels {

inline constexpr int kGridMaxRank = 3;                     // spatial dims
enum class GridMode : uint8_t { nearest, linear, cubic };  // cubic: Keys' kernel with -0.75
enum class GridBorder : uint8_t { zeros, border, reflection };

struct GridSampleArgs {
  const float* x = nullptr;     // [batch, channels, dims..]
  const float* grid = nullptr;  // [batch, places, rank]
  float* y = nullptr;           // [batch, channels, places]; must not overlap
  GridMode mode = GridMode::linear;
  GridBorder border = GridBorder::zeros;
  bool align_corners = false;
  size_t channels = 0, places = 0;
  int rank = 2;                     // 1..kGridMaxRank
  int64_t dims[kGridMaxRank] = {};  // each >= 1
};
// (batch, place) flattened. Coordinates that are no numbers count as far outside.
void grid_sample_ref(const GridSampleArgs& a, Range places);

}  // namespace pith::kernels
