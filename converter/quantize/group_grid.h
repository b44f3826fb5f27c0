// The grid of one group of weights, and the ways to find it. A grid decodes code u (0..15) to
//   scale * (u - zero)          linear; a negative scale is allowed
//   scale * book[u]             table
// and "error" below is sum m (x - decoded)^2 with m the importance of each weight (E[X^2] of the input it multiplies, or 1).
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "converter/quantize/level_table.h"
#include "kernels/base/panel_layout.h"

namespace pith::quantize {

enum class GroupMethod : uint8_t {
  plain,       // no search: largest magnitude on +-7 (or on the largest level), or min..max with a zero point
  signed_max,  // symmetric layouts: largest weight, with its sign, on code -8; others as plain
  search,      // 19 starts, least squares scale for the codes of each, least error wins
  hqq,         // half-quadratic splitting of sum |e|^0.7: forgives outliers, needs no data
};
const char* name_of(GroupMethod method);

struct GroupGrid {
  double scale = 0;  // 0: every weight is zero
  int zero = 8;
  const LevelTable* table = nullptr;

  int code_of(double x) const;
  double value_of(int code) const;
  double nearest(double x) const { return value_of(code_of(x)); }
};

// x and m have equal lengths, finite, m > 0; the levels are those of layouts with a table. Scales are not yet what a file can hold: see group_rows.h.
GroupGrid find_grid(std::span<const double> x, std::span<const double> m, Layout layout, GroupMethod method,
                    const LevelTable& levels = nf4_table());

// code_of() of every x.
void grid_codes(std::span<const double> x, const GroupGrid& grid, int8_t* codes);

double grid_error(std::span<const double> x, std::span<const double> m, const GroupGrid& grid);

}  // namespace pith::quantize
