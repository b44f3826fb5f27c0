// GridSample: the taps of a place are found once and then used for all channels.
#include "kernels/resize/grid_sample.h"

#include <algorithm>
#include <cmath>

namespace pith::kernels {
namespace {

constexpr int kMaxTaps = 4, kMaxPoints = 64;  // per dim; 4^3 together
constexpr double kFar = 0x1p40;  // coordinates are cut off here: conversions to integers stay defined

struct Span {
  double low, high;
};

// Mirrors x at both ends of the span until it lies inside.
double reflect(double x, Span s) {
  const double range = s.high - s.low;
  if (!(range > 0)) return s.low;
  const double distance = std::abs(x - s.low), turns = std::floor(distance / range);
  const double rest = distance - turns * range;
  return std::fmod(turns, 2) == 0 ? s.low + rest : s.high - rest;
}

// Elements of one dim that take part, -1 where there is none.
struct Taps {
  int count = 1;
  int64_t index[kMaxTaps] = {};
  double weight[kMaxTaps] = {1};
};

class Axis {
 public:
  Axis(const GridSampleArgs& a, int64_t n) : a_(a), n_(n) {
    const auto length = static_cast<double>(n);
    span_ = a.align_corners ? Span{0, length - 1} : Span{-0.5, length - 0.5};
  }
  Taps taps(float coordinate) const {
    double x = place(static_cast<double>(coordinate));
    Taps t;
    if (a_.mode == GridMode::nearest) {
      t.index[0] = element(std::nearbyint(inside(std::nearbyint(x))));
      return t;
    }
    if (a_.mode == GridMode::linear) x = inside(x);
    const double left = std::floor(x), ratio = x - left;
    t.count = a_.mode == GridMode::linear ? 2 : 4;
    const double first = a_.mode == GridMode::linear ? left : left - 1;
    for (int k = 0; k < t.count; ++k) {
      t.index[k] = element(first + k);
      const double away = std::abs(first + k - left - ratio);
      t.weight[k] = a_.mode == GridMode::linear ? 1 - away : cubic(away);
    }
    return t;
  }

 private:
  double place(double g) const {
    const auto length = static_cast<double>(n_);
    const double x = a_.align_corners ? (g + 1) / 2 * (length - 1) : ((g + 1) * length - 1) / 2;
    return x > -kFar ? std::min(x, kFar) : -kFar;  // NaN goes far outside too
  }
  double inside(double x) const {
    if (a_.border == GridBorder::zeros || (x >= span_.low && x <= span_.high)) return x;
    if (a_.border == GridBorder::border) return std::clamp(x, 0.0, static_cast<double>(n_ - 1));
    return reflect(x, span_);
  }
  // The element at a whole coordinate, by the rule of the border.
  int64_t element(double x) const {
    const auto last = static_cast<double>(n_ - 1);
    if (x >= 0 && x <= last) return static_cast<int64_t>(x);
    if (a_.border == GridBorder::zeros) return -1;
    if (a_.border == GridBorder::reflection) x = std::trunc(reflect(x, span_));
    return static_cast<int64_t>(std::clamp(x, 0.0, last));
  }
  static double cubic(double x) {
    constexpr double kA = -0.75;
    if (x <= 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
    return x < 2 ? ((x - 5) * x + 8) * kA * x - 4 * kA : 0;
  }
  const GridSampleArgs& a_;
  int64_t n_;
  Span span_;
};

struct Points {
  int count = 1;
  int64_t offset[kMaxPoints] = {0};
  double weight[kMaxPoints] = {1};
};

// Every combination of the taps of all dims.
void combine(const Taps& t, int64_t stride, Points* p) {
  Points next;
  next.count = 0;
  for (int i = 0; i < p->count; ++i)
    for (int k = 0; k < t.count; ++k) {
      if (t.index[k] < 0) continue;
      next.offset[next.count] = p->offset[i] + t.index[k] * stride;
      next.weight[next.count++] = p->weight[i] * t.weight[k];
    }
  *p = next;
}

}  // namespace

void grid_sample_ref(const GridSampleArgs& a, Range places) {
  int64_t image = 1;
  for (int d = 0; d < a.rank; ++d) image *= a.dims[d];
  for (size_t at = places.begin; at < places.end; ++at) {
    const size_t batch = at / a.places, place = at % a.places;
    const float* g = a.grid + at * static_cast<size_t>(a.rank);
    Points points;
    int64_t stride = 1;
    for (int d = a.rank - 1; d >= 0; --d) {
      combine(Axis(a, a.dims[d]).taps(g[a.rank - 1 - d]), stride, &points);
      stride *= a.dims[d];
    }
    const float* x = a.x + batch * a.channels * static_cast<size_t>(image);
    float* y = a.y + batch * a.channels * a.places + place;
    for (size_t c = 0; c < a.channels; ++c, x += image, y += a.places) {
      double sum = 0;
      for (int k = 0; k < points.count; ++k)
        sum += points.weight[k] * static_cast<double>(x[points.offset[k]]);
      *y = static_cast<float>(sum);
    }
  }
}

}  // namespace pith::kernels
