// How each digit is written: the pen's path, in percent of the digit's box (x to the right, y down).
#pragma once

#include <cstdint>
#include <span>

namespace pith::examples {

struct StrokePoint {
  int8_t x, y;
  friend constexpr bool operator==(StrokePoint, StrokePoint) = default;
};

inline constexpr StrokePoint kPenUp{-128, -128};  // lifts the pen: the next point begins a new stroke

// A smooth curve runs through the points; a point given twice in a row is a corner.
using Handwriting = std::span<const StrokePoint>;

// Ways to write `digit` (0..9); never empty, and each begins and ends with the pen down.
std::span<const Handwriting> ways_to_write(int digit);

}  // namespace pith::examples
