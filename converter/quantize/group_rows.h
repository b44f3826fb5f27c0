// Rows of grouped 4-bit weights in the form a file holds them: grids are brought to what is stored before codes are chosen,
// so every code is nearest for the scale that will decode it.
//   GroupRows rows(n, k, layout, group);
//   rows.begin(r, channel_scale_for(...));  per group: grid = rows.settle(r, g, wanted, x, m);  rows.codes(r)[i] = grid.code_of(x)
// Different rows may be worked on by different threads.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "converter/quantize/group_grid.h"
#include "kernels/base/float16.h"
#include "kernels/base/panel_layout.h"

namespace pith::quantize {

struct GroupRows {
  GroupRows() = default;
  GroupRows(size_t rows, size_t columns, Layout weight_layout, size_t group_size,
            const LevelTable& table = nf4_table());

  size_t n = 0, k = 0, group = 32, groups = 0;
  Layout layout = Layout::i4s8;
  const LevelTable* levels = &nf4_table();  // of layouts with a table
  std::vector<int8_t> codes;                // [n, k], 0..15
  std::vector<int8_t> small_scales;         // [n, groups]: layouts with small scales
  std::vector<f16> half_scales;             // [n, groups]: i4f16, lut4
  std::vector<uint8_t> zeros;               // [n, groups]: i4a
  std::vector<float> channel_scale;         // [n]: the same

  bool has_channel_scale() const { return has_small_scales(layout); }
  // Sets the scale that the row's group scales are multiples of, from the largest of them; no effect where there is none.
  void begin(size_t row, double largest_scale);
  // Stores the grid nearest to `wanted` that the layout can hold (of three multiples the one with the least error) and
  // returns it. A half that overflows gives a scale that is not finite.
  GroupGrid settle(size_t row, size_t g, const GroupGrid& wanted, std::span<const double> x,
                   std::span<const double> m);
  GroupGrid grid(size_t row, size_t g) const;  // as stored
  double weight(size_t row, size_t column) const {
    return grid(row, column / group).value_of(codes[row * k + column]);
  }
  std::vector<float> decoded() const;                // all weights, [n, k]
  void copy_row(const GroupRows& from, size_t row);  // of the same extents and layout
  // First and one past the last column of a group.
  size_t first(size_t g) const { return g * group; }
  size_t last(size_t g) const { return first(g) + group < k ? first(g) + group : k; }
};

}  // namespace pith::quantize
