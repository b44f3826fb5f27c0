// Coordinates and filter weights of Resize, in double.
#include "runtime/ops/resize_table.h"

#include <algorithm>
#include <cmath>

namespace pith {
namespace {

using schema::ResizeCoordinates;
using schema::ResizeMode;

// The source coordinate of output o.
double source_of(const ResizeAxis& a, ResizeCoordinates coordinates, int64_t o) {
  const auto x = static_cast<double>(o), in = static_cast<double>(a.in);
  const double length = a.scale * in;  // of the output, not rounded
  switch (coordinates) {
    case ResizeCoordinates::align_corners:
      return length == 1 ? 0 : x * (in - 1) / (length - 1);
    case ResizeCoordinates::asymmetric:
      return x / a.scale;
    case ResizeCoordinates::tf_crop_and_resize: {
      const double span = (a.roi_end - a.roi_begin) * (in - 1);
      return a.roi_begin * (in - 1) + (length == 1 ? span / 2 : x * span / (length - 1));
    }
    case ResizeCoordinates::pytorch_half_pixel:
      return length == 1 ? -0.5 : (x + 0.5) / a.scale - 0.5;
    case ResizeCoordinates::half_pixel_symmetric: {
      const double adjustment = static_cast<double>(a.out) / length;
      return in / 2 * (1 - adjustment) + (x + 0.5) / a.scale - 0.5;
    }
    case ResizeCoordinates::half_pixel:
      return (x + 0.5) / a.scale - 0.5;
  }
  return x;
}

double linear(double x) { return std::max(0.0, 1 - std::abs(x)); }

// Keys' kernel.
double cubic(double x, double a) {
  x = std::abs(x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((x - 5) * x + 8) * a * x - 4 * a;
  return 0;
}

// Which of the two neighbours: 0 the left one, 1 the right one; ratio in (0, 1].
int nearest_tap(schema::ResizeNearest rule, double ratio) {
  if (ratio == 1) return 1;
  switch (rule) {
    case schema::ResizeNearest::round_prefer_floor:
      return ratio > 0.5 ? 1 : 0;
    case schema::ResizeNearest::round_prefer_ceil:
      return ratio >= 0.5 ? 1 : 0;
    case schema::ResizeNearest::floor:
      return 0;
    case schema::ResizeNearest::ceil:
      return 1;
  }
  return 0;
}

struct Filter {
  double shrink = 1;  // below 1: the filter is widened to smooth what is left out
  int64_t first = 0;  // first tap relative to the left neighbour
  int64_t taps = 1;
};

Filter filter_of(const ResizeAxis& a, const schema::ResizeOptions& o) {
  if (o.mode() == ResizeMode::nearest) return {};
  const double reach = o.mode() == ResizeMode::linear ? 1 : 2;
  Filter f;
  if (o.antialias()) f.shrink = std::min(a.scale, 1.0);
  const double first = std::floor(-reach / f.shrink) + 1;
  if (!(first > -static_cast<double>(kMaxResizeTaps))) return {1, 0, kMaxResizeTaps + 1};
  f.first = static_cast<int64_t>(first);
  f.taps = 2 - 2 * f.first;
  return f;
}

// Weights of output o around its left neighbour; normalized where the definition says so.
void fill_weights(const ResizeAxis& a, const schema::ResizeOptions& o, const Filter& f, double base,
                  double ratio, float* weight) {
  double sum = 0;
  std::vector<double> w(static_cast<size_t>(f.taps));
  for (int64_t t = 0; t < f.taps; ++t) {
    const double at = (static_cast<double>(f.first + t) - ratio) * f.shrink;
    const double left = base + static_cast<double>(f.first + t);
    const bool excluded = o.exclude_outside() && (left < 0 || left >= static_cast<double>(a.in));
    w[static_cast<size_t>(t)] = excluded ? 0
                                : o.mode() == ResizeMode::linear
                                    ? linear(at)
                                    : cubic(at, static_cast<double>(o.cubic_coeff()));
    sum += w[static_cast<size_t>(t)];
  }
  const bool normalize = (o.antialias() || o.exclude_outside()) && sum != 0;
  for (size_t t = 0; t < w.size(); ++t) weight[t] = static_cast<float>(normalize ? w[t] / sum : w[t]);
}

}  // namespace

bool make_resize_table(const ResizeAxis& a, const schema::ResizeOptions& o, ResizeTable* table) {
  const Filter f = filter_of(a, o);
  if (f.taps > kMaxResizeTaps || a.out > kMaxResizeTaps / f.taps) return false;
  table->taps = static_cast<size_t>(f.taps);
  table->index.resize(static_cast<size_t>(a.out) * table->taps);
  table->weight.assign(table->index.size(), 1.0f);
  const bool crops = o.coordinates() == ResizeCoordinates::tf_crop_and_resize;
  if (crops) table->outside.assign(static_cast<size_t>(a.out), 0);
  const auto last = static_cast<double>(a.in - 1);
  for (int64_t k = 0; k < a.out; ++k) {
    double x = source_of(a, o.coordinates(), k);
    if (crops && !(x >= 0 && x <= last)) table->outside[static_cast<size_t>(k)] = 1;
    if (!(std::abs(x) < 0x1p60)) x = 0;                      // absurd scales: any valid place will do
    const double base = std::ceil(x) - 1, ratio = x - base;  // the left neighbour; ratio in (0, 1]
    const size_t row = static_cast<size_t>(k) * table->taps;
    int64_t first = f.first;
    if (o.mode() == ResizeMode::nearest)
      first = nearest_tap(o.nearest(), ratio);
    else
      fill_weights(a, o, f, base, ratio, table->weight.data() + row);
    for (int64_t t = 0; t < f.taps; ++t)
      table->index[row + static_cast<size_t>(t)] =
          static_cast<int64_t>(std::clamp(base + static_cast<double>(first + t), 0.0, last));
  }
  return true;
}

}  // namespace pith
