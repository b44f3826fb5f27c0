// Histogram + sample -> weighted points, and the quantization error over them.
#include "converter/quantize/weighted_points.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

namespace pith::quantize {
namespace {

constexpr double kHeavyShare = 1.0 / 256.0;

// x + 1.5 * 2^52 has unit spacing: adding and taking away rounds half to even, and unlike nearbyint() the
// compiler turns it into vector code. Needs |x| < 2^51; here |x| <= 255.
double round_small(double x) {
  constexpr double kMagic = 0x1.8p52;
  return (x + kMagic) - kMagic;
}

}  // namespace

double WeightedPoints::power() const {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += weight[i] * x[i] * x[i];
  return sum;
}

WeightedPoints weighted_points(const Histogram& histogram, std::span<const float> sample) {
  std::vector<float> sorted;
  for (const float v : sample)
    if (v != 0.0f && std::fabs(v) <= FLT_MAX) sorted.push_back(v);
  std::sort(sorted.begin(), sorted.end());
  WeightedPoints out;
  out.total = static_cast<double>(histogram.count());
  const auto nonzeros = static_cast<double>(histogram.count() - histogram.zeros());
  for (const Bin& bin : histogram.bins()) {
    const auto mass = static_cast<double>(bin.count);
    const auto begin = std::lower_bound(sorted.begin(), sorted.end(), bin.lower);
    const auto end = std::lower_bound(begin, sorted.end(), bin.lower + bin.width);
    if (mass <= kHeavyShare * nonzeros || begin == end) {
      out.x.push_back(bin.mean());
      out.weight.push_back(mass);
      continue;
    }
    const double share = mass / static_cast<double>(end - begin);
    for (auto it = begin; it != end; ++it) {
      out.x.push_back(*it);
      out.weight.push_back(share);
    }
  }
  return out;
}

WeightedPoints weighted_points(std::span<const float> values) {
  WeightedPoints out;
  for (const float v : values) {
    if (!(std::fabs(v) <= FLT_MAX)) continue;
    out.total += 1;
    if (v == 0.0f) continue;
    out.x.push_back(v);
    out.weight.push_back(1.0);
  }
  return out;
}

double quantization_mse(const WeightedPoints& points, const Int8Grid& grid) {
  if (points.total <= 0) return 0.0;
  const double scale = grid.scale;
  const double inverse = 1.0 / scale;
  const double lowest = -128 - grid.zero_point;
  const double highest = 127 - grid.zero_point;
  double sum = 0;
  for (size_t i = 0; i < points.x.size(); ++i) {
    const double steps = round_small(std::min(std::max(points.x[i] * inverse, lowest), highest));
    const double error = points.x[i] - steps * scale;
    sum += points.weight[i] * error * error;
  }
  return sum / points.total;
}

}  // namespace pith::quantize
