// A tensor's distribution as points with weights: what range searches and scores integrate over.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "converter/quantize/histogram.h"
#include "converter/quantize/int8_grid.h"

namespace pith::quantize {

struct WeightedPoints {
  std::vector<double> x;       // non-zero values, ascending in steps of bins
  std::vector<double> weight;  // how many values each stands for
  double total = 0;            // all finite values, exact zeros included (zeros cost nothing on any grid)

  double power() const;  // sum of weight * x^2
};

// Every bin at the mean of its values: the rare tail keeps its exact mass. A bin that holds more than 1/256
// of the mass (a spike, or the whole bulk when outliers have stretched the bins) is resolved by the sampled
// values that fall in it, which share the bin's mass.
WeightedPoints weighted_points(const Histogram& histogram, std::span<const float> sample);
WeightedPoints weighted_points(
    std::span<const float> values);  // each value once; non-finite ones are skipped

// Mean over all values of (x - round_trip(x))^2; 0 if there are none.
double quantization_mse(const WeightedPoints& points, const Int8Grid& grid);

}  // namespace pith::quantize
