// How close a model's outputs are to the original's: what accuracy alone does not tell, and all there is without labels.
#pragma once
#include <string>

#include "converter/data/dataset.h"
#include "converter/eval/metrics.h"
#include "runtime/exec/session.h"

namespace pith::compress {

struct Closeness {
  int64_t items = 0;         // 0: not measured
  double kl = 0;             // of the scores, nats, mean over items
  eval::TensorError scores;  // SQNR, cosine, mean and largest error, over all items
};

// `scores`: name of the output, empty for the first. At most `max_items`, evenly spread.
Result<Closeness> measure_closeness(const data::Dataset& items, Session& original, Session& model,
                                    const std::string& scores, int64_t max_items);

}  // namespace pith::compress
