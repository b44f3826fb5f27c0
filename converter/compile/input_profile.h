// What the inputs of a data set look like in numbers: whether two sets went through the same preprocessing, and whether one
// covers the other.
#pragma once
#include <string>
#include <vector>

#include "converter/data/dataset.h"

namespace pith {

struct InputProfile {  // of one input, over all elements of the items looked at; not finite ones are left out
  std::string name;
  bool is_float = false;
  int64_t count = 0;
  double mean = 0, low = 0, high = 0;
  double deviation() const;
  double squares = 0;  // sum of squared distances from the mean
};

// Of at most `max_items` items, evenly spread.
Result<std::vector<InputProfile>> profile_inputs(const data::Dataset& set, int64_t max_items);

// Beyond this the two sets cannot have had the same preprocessing: deviations that differ by a factor of 3 (0..255 beside
// 0..1, or normalized data), means that are 2 deviations apart.
inline constexpr double kDeviationRatio = 3, kMeanDistance = 2;
// Why the profiles cannot come from one preprocessing; "" when they may. Inputs are paired in order; floats only.
std::string preprocessing_mismatch(const std::vector<InputProfile>& calibration,
                                   const std::vector<InputProfile>& evaluation);

// Share of the elements of `set` outside of what `seen` covers, largest of its inputs.
Result<double> share_outside(const data::Dataset& set, int64_t max_items,
                             const std::vector<InputProfile>& seen);

// "item 7: input 'x' holds NaN or infinity" when it does, else "".
Result<std::string> not_finite_input(const data::Dataset& set, int64_t item);

}  // namespace pith
