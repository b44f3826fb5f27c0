// The levels that codes of layout lut4 stand for: code u of a group decodes to scale * book[u].
#pragma once
#include <array>
#include <cstdint>
#include <span>

namespace pith::quantize {

struct LevelTable {
  const char* name;
  std::array<int8_t, 16> book;  // rising, book[15] the largest magnitude
  double step;                  // mean distance of neighbours
  double largest() const { return book[15]; }
};

// NF4 (QLoRA, arXiv 2305.14314): equal shares of a normal distribution, here in steps of 1/127.
const LevelTable& nf4_table();
// FP4, E2M1 of the OCP microscaling formats: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives, here twice as large: exact.
const LevelTable& fp4_table();
// The one with these levels, or null.
const LevelTable* known_table(std::span<const int8_t> book);

// NF4 before it is rounded to the book: -1 .. 1.
std::span<const double> nf4_levels();

}  // namespace pith::quantize
