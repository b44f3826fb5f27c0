// What calibration sees of a list of values: histogram, sample and the candidates made from them.
#pragma once
#include <doctest/doctest.h>

#include <vector>

#include "converter/quantize/range_candidates.h"
#include "converter/quantize/reservoir.h"

namespace pith::testing {

struct Observed {
  explicit Observed(const std::vector<float>& v) {
    histogram.add(v);
    reservoir.add(v);
  }
  quantize::RangeCandidates candidates(quantize::Symmetry s = quantize::Symmetry::asymmetric) const {
    quantize::RangeOptions o;
    o.symmetry = s;
    auto r = quantize::range_candidates(histogram, reservoir.values(), o);
    REQUIRE_MESSAGE(r.is_ok(), r.status().message());
    return r.value();
  }
  quantize::Histogram histogram;
  quantize::Reservoir reservoir;
};

inline double mse_on(const std::vector<float>& v, const quantize::Int8Grid& g) {
  return quantize::quantization_mse(quantize::weighted_points(v), g);
}

}  // namespace pith::testing
