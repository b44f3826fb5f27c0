// Formulas: QLoRA (levels), HQQ (half-quadratic splitting); for codes q held fixed, s = sum(m x q) / sum(m q q) is the best
// scale and lowers the error by sum(m x q)^2 / sum(m q q): a start is judged by that gain, without a second pass.
#include "converter/quantize/group_grid.h"

#include <algorithm>
#include <cmath>

#include "converter/quantize/wide_loop.h"

namespace pith::quantize {
namespace {

using Span = std::span<const double>;

// Half to even for |x| < 2^51, and unlike nearbyint() it becomes two vector instructions.
double rounded(double x) {
  constexpr double kShift = 0x1.8p52;
  return (x + kShift) - kShift;
}
double clamped(double x, double lo, double hi) {  // codes are finite or +-inf, never NaN: the scale is not 0
  x = x < lo ? lo : x;
  return x > hi ? hi : x;
}

// Index of the level next to x; of two as near the lower. Four steps without branches: the levels rise.
int nearest_level(const LevelTable& table, double x) {
  int low = 0;
  for (int step = 8; step > 0; step /= 2) {
    const int at = low + step;
    low = x > 0.5 * (table.book[at - 1] + table.book[at]) ? at : low;
  }
  return low;
}

// Sums for the codes that a scale gives. Four lanes each, added in one fixed order.
struct Fit {
  double xq = 0, qq = 0;
  double scale() const { return qq > 0 ? xq / qq : 0; }
  double gain() const { return qq > 0 ? xq * xq / qq : 0; }
};

template <class Code>
Fit fit_codes(Span x, Span m, Code code) {
  constexpr size_t kLanes = 4;
  double xq[kLanes] = {}, qq[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= x.size(); i += kLanes)
    for (size_t l = 0; l < kLanes; ++l) {
      const double q = code(x[i + l]), mq = m[i + l] * q;
      xq[l] += x[i + l] * mq;
      qq[l] += q * mq;
    }
  for (; i < x.size(); ++i) {
    const double q = code(x[i]), mq = m[i] * q;
    xq[0] += x[i] * mq;
    qq[0] += q * mq;
  }
  return {(xq[0] + xq[2]) + (xq[1] + xq[3]), (qq[0] + qq[2]) + (qq[1] + qq[3])};
}
// rounded(clamped()) of four.
PITH_WIDE_INLINE Wide wide_steps(const Wide& x, const Wide& lo, const Wide& hi) {
  const Wide shift = wide_of(0x1.8p52), above = x < lo ? lo : x, v = above > hi ? hi : above;
  return (v + shift) - shift;
}

// The same sums in the same order as fit_codes().
PITH_WIDE_LOOP Fit fit_linear(const double* x, const double* m, size_t n, double inverse, double lo,
                              double hi) {
  Wide xq{}, qq{};
  size_t i = 0;
  for (; i + kWideLanes <= n; i += kWideLanes) {
    const Wide v = wide_load(x + i), q = wide_steps(v * wide_of(inverse), wide_of(lo), wide_of(hi));
    const Wide mq = wide_load(m + i) * q;
    xq += v * mq;
    qq += q * mq;
  }
  for (; i < n; ++i) {
    const double q = rounded(clamped(x[i] * inverse, lo, hi)), mq = m[i] * q;
    xq[0] += x[i] * mq;
    qq[0] += q * mq;
  }
  return {wide_sum(xq), wide_sum(qq)};
}
Fit fit_linear(Span x, Span m, double scale, int zero) {
  return fit_linear(x.data(), m.data(), x.size(), 1 / scale, -zero, 15 - zero);
}
Fit fit_table(Span x, Span m, const LevelTable& table, double scale) {
  const double inverse = 1 / scale;
  return fit_codes(x, m,
                   [&, inverse](double v) { return double(table.book[nearest_level(table, v * inverse)]); });
}

double largest(Span x) {  // with its sign
  double most = 0;
  for (double v : x)
    if (std::fabs(v) > std::fabs(most)) most = v;
  return most;
}

constexpr int kSteps = 9;  // -9..9: 19 starts

// Keeps the scale with the largest gain over all starts given to it.
struct Best {
  GroupGrid grid;
  double gain = 0;
  void offer(const Fit& fit, int zero, const LevelTable* table = nullptr) {
    if (!(fit.gain() > gain) || !std::isfinite(fit.scale())) return;
    gain = fit.gain();
    grid = {fit.scale(), zero, table};
  }
};

GroupGrid search_symmetric(Span x, Span m, double most) {
  Best best;
  for (int step = -kSteps; step <= kSteps; ++step)
    best.offer(fit_linear(x, m, most / (-8 + 0.1 * step), 8), 8);
  best.offer(fit_linear(x, m, most / 7, 8), 8);  // a 20th, so that plain never wins
  return best.grid;
}

struct Extent {
  double lo = 0, hi = 0;  // zero is always between them
};
Extent extent_of(Span x) {
  Extent e;
  for (double v : x) e.lo = std::min(e.lo, v), e.hi = std::max(e.hi, v);
  return e;
}
int nearest_zero(double z) { return static_cast<int>(clamped(rounded(z), 0, 15)); }

GroupGrid search_asymmetric(Span x, Span m, const Extent& e) {
  Best best;
  for (int step = -kSteps; step <= kSteps; ++step) {
    const double start = (e.hi - e.lo) / (15 + 0.1 * step), z = -e.lo / start;
    for (int zero = nearest_zero(z - 1); zero <= nearest_zero(z + 1); ++zero)
      best.offer(fit_linear(x, m, start, zero), zero);
  }
  return best.grid;
}

// Starts lie 3 % apart around the largest weight on the largest level. That scale itself competes unfitted too: it is
// exact for a lone weight.
GroupGrid search_table(Span x, Span m, const LevelTable& table, double most) {
  Best best;
  const GroupGrid plain{std::fabs(most) / table.largest(), 8, &table};
  for (int step = -kSteps; step <= kSteps; ++step)
    best.offer(fit_table(x, m, table, plain.scale * (1 + 0.03 * step)), 8, &table);
  return best.grid.scale <= 0 || grid_error(x, m, plain) < grid_error(x, m, best.grid) ? plain : best.grid;
}

// ---- HQQ: minimise sum |x - d - decoded|^0.7-ish by alternating the split-off d and the parameter that is free ------------

constexpr int kHqqRounds = 20;
constexpr double kHqqP = 0.7, kHqqBeta = 10, kHqqGrowth = 1.01;

// e in steps of the grid, so that one beta fits weights of every size.
double shrunk(double e, double beta) {
  const double magnitude = std::fabs(e);
  if (magnitude == 0) return 0;  // |0|^(p-1) is infinite
  return std::copysign(std::max(0.0, magnitude - std::pow(magnitude, kHqqP - 1) / beta), e);
}

// What moves is the zero point, fractional while it does, or else the scale.
struct Hqq {
  Span x, m;
  GroupGrid grid;
  double zero = 0;
  bool moves_zero = false;

  double code(double v) const { return clamped(rounded(v / grid.scale + zero), 0, 15); }
  double decoded(double v) const { return moves_zero ? grid.scale * (code(v) - zero) : grid.nearest(v); }
  double mean_error() const {
    double sum = 0, weight = 0;
    for (size_t i = 0; i < x.size(); ++i) sum += m[i] * std::fabs(x[i] - decoded(x[i])), weight += m[i];
    return sum / weight;
  }
  void move(double beta) {
    const double step = std::fabs(grid.scale) * (grid.table != nullptr ? grid.table->step : 1);
    double top = 0, bottom = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double w = decoded(x[i]), target = x[i] - step * shrunk((x[i] - w) / step, beta);
      const double q = moves_zero ? code(x[i]) : w / grid.scale;
      top += m[i] * (moves_zero ? q - target / grid.scale : target * q);
      bottom += m[i] * (moves_zero ? 1 : q * q);
    }
    if (bottom > 0) (moves_zero ? zero : grid.scale) = top / bottom;
  }
  void run() {
    double beta = kHqqBeta, least = mean_error();
    for (int round = 0; round < kHqqRounds; ++round, beta *= kHqqGrowth) {
      const Hqq before = *this;
      move(beta);
      const double error = grid.scale == 0 ? least : mean_error();
      if (!(error < least)) {
        *this = before;
        return;
      }
      least = error;
    }
  }
};

GroupGrid hqq_scale(Span x, Span m, const GroupGrid& start) {
  Hqq h{x, m, start};
  h.run();
  return h.grid;
}

// Files hold whole zero points only: the fractional one is rounded, the scale fitted to it, and the start with its own zero
// point competes.
GroupGrid hqq_zero(Span x, Span m, const GroupGrid& start, double zero) {
  Hqq h{x, m, start, zero, true};
  h.run();
  const GroupGrid moved = hqq_scale(x, m, {start.scale, nearest_zero(h.zero)}), kept = hqq_scale(x, m, start);
  return Hqq{x, m, moved}.mean_error() < Hqq{x, m, kept}.mean_error() ? moved : kept;
}

}  // namespace

const char* name_of(GroupMethod method) {
  switch (method) {
    case GroupMethod::plain:
      return "plain";
    case GroupMethod::signed_max:
      return "signed-max";
    case GroupMethod::search:
      return "search";
    case GroupMethod::hqq:
      return "hqq";
  }
  return "?";
}

int GroupGrid::code_of(double x) const {
  if (scale == 0) return table != nullptr ? 7 : zero;
  if (table != nullptr) return nearest_level(*table, x / scale);
  return static_cast<int>(rounded(clamped(x / scale, -zero, 15 - zero))) + zero;
}
double GroupGrid::value_of(int code) const {
  return scale * (table != nullptr ? table->book[static_cast<size_t>(code & 15)] : code - zero);
}

namespace {
constexpr size_t kPart = 64;  // of a group

// The steps from zero of x, and the weighted squared error of each; lanes by themselves. n <= kPart.
PITH_WIDE_LOOP void linear_steps(const double* x, size_t n, const GroupGrid& g, double* steps) {
  const double lo = -g.zero, hi = 15 - g.zero;
  size_t i = 0;
  for (; i + kWideLanes <= n; i += kWideLanes)
    wide_store(wide_steps(wide_load(x + i) / wide_of(g.scale), wide_of(lo), wide_of(hi)), steps + i);
  for (; i < n; ++i) steps[i] = rounded(clamped(x[i] / g.scale, lo, hi));
}
PITH_WIDE_LOOP void linear_errors(const double* x, const double* m, size_t n, const GroupGrid& g,
                                  double* errors) {
  double steps[kPart];
  linear_steps(x, n, g, steps);
  for (size_t i = 0; i < n; ++i) {
    const double e = x[i] - g.scale * steps[i];
    errors[i] = m[i] * e * e;
  }
}
}  // namespace

void grid_codes(Span x, const GroupGrid& grid, int8_t* codes) {
  if (grid.table != nullptr || grid.scale == 0) {
    for (size_t i = 0; i < x.size(); ++i) codes[i] = static_cast<int8_t>(grid.code_of(x[i]));
    return;
  }
  double steps[kPart];
  for (size_t at = 0; at < x.size(); at += kPart) {
    const size_t n = std::min(kPart, x.size() - at);
    linear_steps(x.data() + at, n, grid, steps);
    for (size_t i = 0; i < n; ++i)
      codes[at + i] = static_cast<int8_t>(static_cast<int>(steps[i]) + grid.zero);
  }
}

double grid_error(Span x, Span m, const GroupGrid& grid) {
  double sum = 0;
  if (grid.table == nullptr && grid.scale != 0) {  // the sum in the order below
    double errors[kPart];
    for (size_t at = 0; at < x.size(); at += kPart) {
      const size_t n = std::min(kPart, x.size() - at);
      linear_errors(x.data() + at, m.data() + at, n, grid, errors);
      for (size_t i = 0; i < n; ++i) sum += errors[i];
    }
    return sum;
  }
  for (size_t i = 0; i < x.size(); ++i) {
    const double e = x[i] - grid.nearest(x[i]);
    sum += m[i] * e * e;
  }
  return sum;
}

GroupGrid find_grid(Span x, Span m, Layout layout, GroupMethod method, const LevelTable& levels) {
  const double most = largest(x);
  if (layout == Layout::i4a) {
    const Extent e = extent_of(x);
    if (e.lo == e.hi) return {};
    if (method == GroupMethod::search) return search_asymmetric(x, m, e);
    const double scale = (e.hi - e.lo) / 15, zero = -e.lo / scale;
    const GroupGrid plain{scale, nearest_zero(zero)};
    return method == GroupMethod::hqq ? hqq_zero(x, m, plain, zero) : plain;
  }
  const LevelTable* table = uses_table(layout) ? &levels : nullptr;
  if (most == 0) return {0, 8, table};
  if (method == GroupMethod::search)
    return table != nullptr ? search_table(x, m, *table, most) : search_symmetric(x, m, most);
  if (method == GroupMethod::plain && table == nullptr) return {std::fabs(most) / 7};
  const GroupGrid start =
      table != nullptr ? GroupGrid{std::fabs(most) / table->largest(), 8, table} : GroupGrid{most / -8};
  return method == GroupMethod::hqq ? hqq_scale(x, m, start) : start;
}

}  // namespace pith::quantize
