// From weights to stored groups: see weight_groups.h.
#include "converter/quantize/weight_groups.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pith::quantize {
namespace {

// One row at a time: all its grids first, because the largest scale decides what the others are multiples of.
void quantize_row(std::span<const float> w, std::span<const double> m, size_t row, GroupMethod method,
                  GroupRows& out) {
  const std::vector<double> x(w.begin(), w.end());
  const auto part = [&](std::span<const double> all, size_t g) {
    return all.subspan(out.first(g), out.last(g) - out.first(g));
  };
  std::vector<GroupGrid> grids(out.groups);
  double most = 0;
  for (size_t g = 0; g < out.groups; ++g) {
    grids[g] = find_grid(part(x, g), part(m, g), out.layout, method, *out.levels);
    most = std::max(most, std::fabs(grids[g].scale));
  }
  out.begin(row, most);
  for (size_t g = 0; g < out.groups; ++g) {
    const GroupGrid grid = out.settle(row, g, grids[g], part(x, g), part(m, g));
    if (!std::isfinite(grid.scale)) continue;  // finished_groups() refuses it
    grid_codes(part(x, g), grid, out.codes.data() + row * out.k + out.first(g));
  }
}

Status check_halves(const GroupRows& rows) {
  for (size_t at = 0; at < rows.half_scales.size(); ++at)
    if (!std::isfinite(to_float(rows.half_scales[at])))
      return Status(Code::unsupported, format("the scale of row %zu, group %zu does not fit a half",
                                              at / rows.groups, at % rows.groups));
  return Status::ok();
}

}  // namespace

Layout stored_layout(Layout wanted, uint64_t n, uint64_t k, size_t group) {
  if (wanted != Layout::lut4) return wanted;
  const auto bytes = [&](Layout layout) {
    return panel_matrix_bytes({layout, static_cast<uint16_t>(group), n, k});
  };
  return bytes(Layout::lut4s8) < bytes(Layout::lut4) ? Layout::lut4s8 : Layout::lut4;
}

Status check_finite_weights(std::span<const float> w, size_t k) {
  for (size_t i = 0; i < w.size(); ++i)
    if (!std::isfinite(w[i]))
      return Status(Code::bad_file, format("weight [%zu, %zu] is not finite", i / k, i % k));
  return Status::ok();
}

Result<std::vector<double>> usable_importance(std::span<const double> importance, size_t k) {
  if (importance.empty()) return std::vector<double>(k, 1.0);
  if (importance.size() != k)
    return Status(Code::bad_argument,
                  format("importance of %zu columns for weights of %zu", importance.size(), k));
  double sum = 0;
  for (size_t i = 0; i < k; ++i) {
    if (!(importance[i] >= 0) || !std::isfinite(importance[i]))
      return Status(
          Code::bad_argument,
          format("importance of column %zu is %g: expected a finite value from 0", i, importance[i]));
    sum += importance[i];
  }
  std::vector<double> m(importance.begin(), importance.end());
  const double floor = sum > 0 ? 1e-6 * sum / static_cast<double>(k) : 1.0;
  for (double& v : m) v = std::max(v, floor);
  return m;
}

Result<GroupedWeights> finished_groups(GroupRows rows, std::span<const float> w, ThreadPool* pool) {
  PITH_RETURN_IF_ERROR(check_halves(rows));
  GroupedWeights out;
  static_cast<GroupRows&>(out) = std::move(rows);
  if (uses_table(out.layout)) out.codebook.assign(out.levels->book.begin(), out.levels->book.end());
  std::vector<double> signal(out.n), noise(out.n);  // per row: sums do not depend on the threads
  parallel_for(pool, out.n, 1, [&](Range range) {
    for (size_t row = range.begin; row < range.end; ++row)
      for (size_t g = 0; g < out.groups; ++g) {
        const GroupGrid grid = out.grid(row, g);
        for (size_t at = row * out.k + out.first(g); at < row * out.k + out.last(g); ++at) {
          const double x = w[at], e = x - grid.value_of(out.codes[at]);
          signal[row] += x * x;
          noise[row] += e * e;
        }
      }
  });
  for (size_t row = 0; row < out.n; ++row) out.signal += signal[row], out.noise += noise[row];
  return out;
}

kernels::PanelSource GroupedWeights::source() const {
  kernels::PanelSource s;
  s.codes = codes.data();
  s.group_scales = half_scales.empty() ? static_cast<const void*>(small_scales.data()) : half_scales.data();
  s.zeros = zeros.data();
  s.channel_scale = channel_scale.data();
  return s;
}

double GroupedWeights::sqnr_db() const {
  return noise > 0 ? 10 * std::log10(signal / noise) : std::numeric_limits<double>::infinity();
}

Result<GroupedWeights> quantize_groups(std::span<const float> w, size_t n, size_t k,
                                       const GroupOptions& options) {
  PITH_RETURN_IF_ERROR(check_finite_weights(w, k));
  PITH_ASSIGN(const std::vector<double> m, usable_importance(options.importance, k));
  GroupRows rows(n, k, options.layout, options.group, *options.levels);
  parallel_for(options.pool, n, 1, [&](Range range) {
    for (size_t row = range.begin; row < range.end; ++row)
      quantize_row(w.subspan(row * k, k), m, row, options.method, rows);
  });
  return finished_groups(std::move(rows), w, options.pool);
}

}  // namespace pith::quantize
