// The tables themselves.
#include "converter/quantize/level_table.h"

#include <algorithm>

namespace pith::quantize {
namespace {

constexpr double kLevels[16] = {-1,
                                -0.6961928009986877,
                                -0.5250730514526367,
                                -0.39491748809814453,
                                -0.28444138169288635,
                                -0.18477343022823334,
                                -0.09105003625154495,
                                0,
                                0.07958029955625534,
                                0.16093020141124725,
                                0.24611230194568634,
                                0.33791524171829224,
                                0.44070982933044434,
                                0.5626170039176941,
                                0.7229568362236023,
                                1};
constexpr LevelTable kNf4 = {
    "nf4", {-127, -88, -67, -50, -36, -23, -12, 0, 10, 20, 31, 43, 56, 71, 92, 127}, 16};
constexpr LevelTable kFp4 = {"fp4", {-12, -8, -6, -4, -3, -2, -1, 0, 0, 1, 2, 3, 4, 6, 8, 12}, 1.6};

}  // namespace

const LevelTable& nf4_table() { return kNf4; }
const LevelTable& fp4_table() { return kFp4; }

const LevelTable* known_table(std::span<const int8_t> book) {
  for (const LevelTable* table : {&kNf4, &kFp4})
    if (std::ranges::equal(table->book, book)) return table;
  return nullptr;
}

std::span<const double> nf4_levels() { return kLevels; }

}  // namespace pith::quantize
