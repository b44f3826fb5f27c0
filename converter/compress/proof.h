// The one look at the proof items: what the chosen model costs, as the certificate says it.
#pragma once
#include <functional>

#include "converter/compress/compress.h"
#include "converter/compress/evaluation_data.h"
#include "converter/compress/layer_times.h"

namespace pith::compress {

struct ProofInput {
  const CompressOptions& options;
  const EvaluationData& data;
  const std::vector<Unit>& units;
  Session& original;        // the float model as it came
  const LayerTimes* times;  // of the device; null: latency is measured here, both models in turns
  std::function<Status(Session&)> feed_one;  // an item, for timing
  std::function<void(int64_t done, int64_t total)> progress;
};

// `report` gives what is known of the data and the source, and gets the classes. Without proof items the certificate holds no
// accuracy, and outputs are compared on calibration items.
Result<Certificate> prove_model(const ProofInput& input, Session& model, const PrecisionPlan& plan,
                                CompressReport* report);

}  // namespace pith::compress
