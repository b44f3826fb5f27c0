// Where a compressed model loses its way: the error of every layer against the original.
//   cumulative  both models run on the same item; what reached this layer already carries earlier errors
//   local       the inputs of every layer are the original's values: only its own error is seen
// Layers are matched by the tensors they make, which keep the source's names through the passes, else by node name
// (traced_values.h): both models come from one source.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "converter/data/dataset.h"
#include "converter/eval/metrics.h"
#include "runtime/exec/session.h"

namespace pith::eval {

struct LayerError {
  std::string node, op, precision, kernel;  // of the compressed model; precision: type of the first input
  TensorError local, cumulative;            // of the first output, over all items
};

struct LayerComparison {
  std::vector<LayerError> layers;   // in the order they run
  std::vector<LayerError> outputs;  // of the model: node is the output's name, only `cumulative` is set
  std::vector<double> output_kl;    // of each output as scores, nats, mean over items (metrics.h)
  size_t unmatched = 0;             // steps of the compressed model without a counterpart of the same size
  int64_t items = 0;
  // Index of the layer with the lowest local SQNR, or of one that is not finite; npos when nothing differs.
  size_t culprit() const;
};

struct LayerCompareOptions {
  int64_t max_items = 16;  // spread over the data set
  std::function<void(int64_t done, int64_t total)> progress;
};

Result<LayerComparison> compare_layers(const data::Dataset& dataset, Session& original, Session& compressed,
                                       const LayerCompareOptions& options);

}  // namespace pith::eval
