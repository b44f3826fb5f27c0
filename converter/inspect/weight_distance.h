// How far the weights of one form of a layer are from another's.
#pragma once
#include <vector>

#include "converter/eval/metrics.h"
#include "converter/inspect/stored_weights.h"

namespace pith::inspect {

struct WeightDistance {
  eval::TensorError error;      // of all weights
  size_t worst_channel = 0;     // of axis 0, by SQNR
  double worst_channel_db = 0;  // infinity where exact
  // A rewrite moved scale between layers first (equalization, SmoothQuant, AWQ): the two agree up to one factor an output
  // channel and one an input channel, which are fitted here by least squares and taken out.
  bool fitted = false;
  size_t columns_gone =
      0;  // fitted: input channels of which `other` holds nothing, as after an outlier split; not counted
};

// Extents must agree, or it is an error. `fit`: see WeightDistance::fitted; `columns`: input channels, the fastest axis.
Result<WeightDistance> weight_distance(const StoredWeights& reference, const StoredWeights& other, bool fit,
                                       size_t columns);

}  // namespace pith::inspect
