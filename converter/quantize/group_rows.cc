// Grids as files hold them.
#include "converter/quantize/group_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pith::quantize {

GroupRows::GroupRows(size_t rows, size_t columns, Layout weight_layout, size_t group_size,
                     const LevelTable& table)
    : n(rows),
      k(columns),
      group(group_size),
      groups((columns + group_size - 1) / group_size),
      layout(weight_layout),
      levels(&table),
      codes(n * k) {
  if (has_channel_scale()) {
    small_scales.resize(n * groups);
    channel_scale.resize(n);
  } else {
    half_scales.resize(n * groups);
  }
  if (layout == Layout::i4a) zeros.resize(n * groups);
}

void GroupRows::begin(size_t row, double largest_scale) {
  if (!has_channel_scale()) return;
  const auto channel = static_cast<float>(std::fabs(largest_scale) / 127);
  channel_scale[row] = channel < std::numeric_limits<float>::min() ? 0.0f : channel;
}

GroupGrid GroupRows::settle(size_t row, size_t g, const GroupGrid& wanted, std::span<const double> x,
                            std::span<const double> m) {
  const size_t at = row * groups + g;
  if (!has_channel_scale()) {
    half_scales[at] = to_f16(static_cast<float>(wanted.scale));
    return grid(row, g);
  }
  if (layout == Layout::i4a) zeros[at] = static_cast<uint8_t>(wanted.zero);
  const double channel = channel_scale[row];
  if (channel == 0) return grid(row, g);
  const double multiple = std::clamp(wanted.scale / channel, -127.0, 127.0);
  const int middle = static_cast<int>(std::lrint(multiple));
  double least = std::numeric_limits<double>::infinity();
  for (int s = std::max(-127, middle - 1); s <= std::min(127, middle + 1); ++s) {
    const double error = grid_error(x, m, {s * channel, wanted.zero, wanted.table});
    if (error < least) least = error, small_scales[at] = static_cast<int8_t>(s);
  }
  return grid(row, g);
}

GroupGrid GroupRows::grid(size_t row, size_t g) const {
  const size_t at = row * groups + g;
  const LevelTable* table = uses_table(layout) ? levels : nullptr;
  if (!has_channel_scale()) return {double{to_float(half_scales[at])}, 8, table};
  return {static_cast<double>(small_scales[at]) * channel_scale[row],
          layout == Layout::i4a ? int{zeros[at]} : 8, table};
}

std::vector<float> GroupRows::decoded() const {
  std::vector<float> w(codes.size());
  for (size_t row = 0; row < n; ++row)
    for (size_t i = 0; i < k; ++i) w[row * k + i] = static_cast<float>(weight(row, i));
  return w;
}

void GroupRows::copy_row(const GroupRows& from, size_t row) {
  const auto copy = [row](const auto& source, auto& to, size_t width) {
    for (size_t i = row * width; !source.empty() && i < (row + 1) * width; ++i) to[i] = source[i];
  };
  copy(from.codes, codes, k);
  copy(from.small_scales, small_scales, groups);
  copy(from.half_scales, half_scales, groups);
  copy(from.zeros, zeros, groups);
  copy(from.channel_scale, channel_scale, 1);
}

}  // namespace pith::quantize
