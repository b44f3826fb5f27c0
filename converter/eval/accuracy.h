// Runs a classifier over a labelled data set, alone or side by side with a baseline.
#pragma once
#include <functional>
#include <string>

#include "converter/data/dataset.h"
#include "converter/eval/metrics.h"
#include "runtime/exec/session.h"

namespace pith::eval {

struct AccuracyOptions {
  std::string output;     // name of the scores; empty: the first output
  int64_t max_items = 0;  // 0: all; otherwise evenly spread over the data set
  std::function<void(int64_t done, int64_t total)> progress;
};

struct Accuracy {
  ClassificationMetrics model, baseline;  // of the same items in the same order; the baseline may be empty
};

// `baseline` may be null.
Result<Accuracy> measure_accuracy(const data::Dataset& dataset, Session& model, Session* baseline,
                                  const AccuracyOptions& options);

}  // namespace pith::eval
