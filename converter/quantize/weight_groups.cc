// Scale search per group. Formulas: QLoRA (NF4 levels); least squares as in the head of weight_groups.h.
#include "converter/quantize/weight_groups.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pith::quantize {
namespace {

using Span = std::span<const float>;

int nearest(double x, int lo, int hi) {
  return static_cast<int>(std::clamp(std::nearbyint(x), double(lo), double(hi)));
}

// A scale and the zero point it goes with (u - zero; 8 where the layout has none).
struct Grid {
  double scale = 0;
  int zero = 8;
};

double error_of(Span x, const Grid& g) {
  if (g.scale == 0) {
    double e = 0;
    for (float v : x) e += double(v) * v;
    return e;
  }
  double e = 0;
  const double inverse = 1 / g.scale;
  for (float v : x) {
    const double d = v - g.scale * nearest(v * inverse, -g.zero, 15 - g.zero);
    e += d * d;
  }
  return e;
}

// Least squares scale of the codes that `start` gives.
double refit(Span x, const Grid& start) {
  double xq = 0, qq = 0;
  const double inverse = 1 / start.scale;
  for (float v : x) {
    const double q = nearest(v * inverse, -start.zero, 15 - start.zero);
    xq += v * q;
    qq += q * q;
  }
  return qq > 0 ? xq / qq : 0;
}

constexpr int kSteps = 9;  // -9..9: 19 starts, 0.1 code apart

Grid symmetric_grid(Span x) {
  float most = 0;
  for (float v : x)
    if (std::abs(v) > std::abs(most)) most = v;
  Grid best;
  if (most == 0) return best;
  double least = std::numeric_limits<double>::infinity();
  for (int step = -kSteps; step <= kSteps; ++step) {
    const Grid g{refit(x, {most / (-8 + 0.1 * step), 8}), 8};
    const double e = error_of(x, g);
    if (e < least) least = e, best = g;
  }
  return best;
}

Grid asymmetric_grid(Span x) {
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  const double lo = std::min(0.0f, *low), hi = std::max(0.0f, *high);
  Grid best;
  if (lo == hi) return best;
  double least = std::numeric_limits<double>::infinity();
  for (int step = -kSteps; step <= kSteps; ++step) {
    const double start = (hi - lo) / (15 + 0.1 * step);
    for (int zero = nearest(-lo / start - 1, 0, 15); zero <= nearest(-lo / start + 1, 0, 15); ++zero) {
      const Grid g{refit(x, {start, zero}), zero};
      const double e = error_of(x, g);
      if (e < least) least = e, best = g;
    }
  }
  return best;
}

constexpr int8_t kNf4[16] = {-127, -88, -67, -50, -36, -23, -12, 0, 10, 20, 31, 43, 56, 71, 92, 127};

// Index of the level next to x; the levels rise.
int nearest_level(double x) {
  int low = 0, high = 15;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (x > 0.5 * (kNf4[middle] + kNf4[middle + 1]))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

double table_error(Span x, double scale) {
  double e = 0;
  for (float v : x) {
    const double d = v - scale * kNf4[nearest_level(v / scale)];
    e += d * d;
  }
  return e;
}

// The scale of a table: the largest weight on the largest level, or one of 18 scales around that, each fitted to its codes.
double table_scale(Span x) {
  double most = 0;
  for (float v : x) most = std::max(most, std::abs(double(v)));
  if (most == 0) return 0;
  double best = most / 127, least = table_error(x, best);
  for (int step = -kSteps; step <= kSteps; ++step) {
    const double start = most / 127 * (1 + 0.03 * step);
    double xq = 0, qq = 0;
    for (float v : x) {
      const double q = kNf4[nearest_level(v / start)];
      xq += v * q;
      qq += q * q;
    }
    const double fitted = qq > 0 ? xq / qq : 0;
    if (fitted <= 0) continue;
    const double e = table_error(x, fitted);
    if (e < least) least = e, best = fitted;
  }
  return best;
}

class Quantizer {
 public:
  Quantizer(Span w, size_t n, size_t k, const GroupOptions& o)
      : w_(w), n_(n), k_(k), o_(o), groups_((k + o.group - 1) / o.group) {}

  Result<GroupedWeights> run() {
    for (size_t i = 0; i < w_.size(); ++i)
      if (!std::isfinite(w_[i]))
        return Status(Code::bad_file, format("weight [%zu, %zu] is not finite", i / k_, i % k_));
    out_.codes.resize(n_ * k_);
    for (size_t row = 0; row < n_; ++row) {
      if (o_.layout == Layout::lut4)
        PITH_RETURN_IF_ERROR(table_row(row));
      else if (o_.layout == Layout::i4f16)
        PITH_RETURN_IF_ERROR(half_row(row));
      else
        integer_row(row);
    }
    if (o_.layout == Layout::lut4) out_.codebook.assign(kNf4, kNf4 + 16);
    return std::move(out_);
  }

 private:
  Span group(size_t row, size_t g) const {
    const size_t begin = g * o_.group;
    return w_.subspan(row * k_ + begin, std::min(o_.group, k_ - begin));
  }

  void write_codes(size_t row, size_t g, const Grid& grid) {
    const Span x = group(row, g);
    int8_t* codes = out_.codes.data() + row * k_ + g * o_.group;
    const double inverse = grid.scale == 0 ? 0 : 1 / grid.scale;
    for (size_t i = 0; i < x.size(); ++i) {
      const int q = nearest(x[i] * inverse, -grid.zero, 15 - grid.zero);
      codes[i] = static_cast<int8_t>(q + grid.zero);
      account(x[i], grid.scale * q);
    }
  }
  void account(double x, double stored) {
    out_.signal += x * x;
    out_.noise += (x - stored) * (x - stored);
  }

  // Group scales as s8 multiples of one float per channel; of the neighbouring multiples the one with the least error.
  void integer_row(size_t row) {
    std::vector<Grid> grids(groups_);
    double most = 0;
    for (size_t g = 0; g < groups_; ++g) {
      grids[g] = o_.layout == Layout::i4a ? asymmetric_grid(group(row, g)) : symmetric_grid(group(row, g));
      most = std::max(most, std::abs(grids[g].scale));
    }
    const auto channel = static_cast<float>(most / 127);
    const bool dead = channel < std::numeric_limits<float>::min();
    out_.channel_scale.push_back(dead ? 0.0f : channel);
    for (size_t g = 0; g < groups_; ++g) {
      const int middle = dead ? 0 : nearest(grids[g].scale / channel, -127, 127);
      int best = 0;
      double least = std::numeric_limits<double>::infinity();
      for (int s = std::max(-127, middle - 1); s <= std::min(127, middle + 1); ++s) {
        const double e = error_of(group(row, g), {double(s) * channel, grids[g].zero});
        if (e < least) least = e, best = s;
      }
      if (dead) best = 0;
      out_.small_scales.push_back(static_cast<int8_t>(best));
      if (o_.layout == Layout::i4a) out_.zeros.push_back(static_cast<uint8_t>(grids[g].zero));
      write_codes(row, g, {double(best) * channel, grids[g].zero});
    }
  }

  Result<double> stored_half(double scale, size_t row, size_t g) {
    const f16 half = to_f16(static_cast<float>(scale));
    const float back = to_float(half);
    if (!std::isfinite(back))
      return Status(Code::unsupported,
                    format("the scale of row %zu, group %zu (%g) does not fit a half", row, g, scale));
    out_.half_scales.push_back(half);
    return double(back);
  }

  Status half_row(size_t row) {
    for (size_t g = 0; g < groups_; ++g) {
      PITH_ASSIGN(const double scale, stored_half(symmetric_grid(group(row, g)).scale, row, g));
      write_codes(row, g, {scale, 8});
    }
    return Status::ok();
  }

  Status table_row(size_t row) {
    for (size_t g = 0; g < groups_; ++g) {
      const Span x = group(row, g);
      PITH_ASSIGN(const double scale, stored_half(table_scale(x), row, g));
      int8_t* codes = out_.codes.data() + row * k_ + g * o_.group;
      for (size_t i = 0; i < x.size(); ++i) {
        const int at = scale == 0 ? 7 : nearest_level(x[i] / scale);
        codes[i] = static_cast<int8_t>(at);
        account(x[i], scale * kNf4[at]);
      }
    }
    return Status::ok();
  }

  Span w_;
  size_t n_, k_;
  GroupOptions o_;
  size_t groups_;
  GroupedWeights out_;
};

}  // namespace

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

std::span<const int8_t> nf4_codebook() { return kNf4; }

Result<GroupedWeights> quantize_groups(std::span<const float> w, size_t n, size_t k,
                                       const GroupOptions& options) {
  return Quantizer(w, n, k, options).run();
}

}  // namespace pith::quantize
