// Range -> int8 grid, and the float <-> code map that the converter's simulations share.
#include "converter/quantize/int8_grid.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

namespace pith::quantize {

Result<GridChoice> grid_for_range(double low, double high, Symmetry symmetry) {
  if (!std::isfinite(low) || !std::isfinite(high) || low > high)
    return Status(Code::bad_argument,
                  format("quantization range [%g, %g] is not a finite interval", low, high));
  low = std::min(low, 0.0);
  high = std::max(high, 0.0);
  if (low == 0.0 && high == 0.0) return GridChoice{{1.0f, 0}, GridNote::zero_range};
  const bool symmetric = symmetry == Symmetry::symmetric;
  const double wanted = symmetric ? std::max(-low, high) / 127.0 : (high - low) / 255.0;
  const double scale = std::clamp<double>(wanted, FLT_MIN, FLT_MAX);
  GridChoice choice{{static_cast<float>(scale), 0}, wanted < FLT_MIN ? GridNote::tiny : GridNote::exact};
  if (symmetric) return choice;
  choice.grid.zero_point =
      static_cast<int32_t>(std::clamp(std::nearbyint(-128.0 - low / scale), -128.0, 127.0));
  return choice;
}

int8_t encode(double value, const Int8Grid& grid) {
  if (std::isnan(value)) return static_cast<int8_t>(grid.zero_point);
  const double steps = std::nearbyint(value / static_cast<double>(grid.scale));
  return static_cast<int8_t>(std::clamp(steps + grid.zero_point, -128.0, 127.0));
}

double decode(int8_t code, const Int8Grid& grid) {
  return static_cast<double>(grid.scale) * (static_cast<int32_t>(code) - grid.zero_point);
}

double round_trip(double value, const Int8Grid& grid) { return decode(encode(value, grid), grid); }

}  // namespace pith::quantize
