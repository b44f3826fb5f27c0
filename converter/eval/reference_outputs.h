// What a model answers on chosen items, kept to measure how far other forms of the same model are from it.
//   PITH_ASSIGN(ReferenceOutputs exact, ReferenceOutputs::record(original, feed, items));
//   PITH_ASSIGN(OutputDistance d, exact.distance(candidate));
// Memory: items x size of the outputs.
#pragma once
#include <vector>

#include "converter/eval/dataset_feed.h"
#include "runtime/exec/session.h"

namespace pith::eval {

struct OutputDistance {
  double noise_share =
      0;          // power of the error over power of the signal, averaged over the outputs that have a signal
  double kl = 0;  // of the scores, nats, averaged over items; NaN if a score is NaN
};

class ReferenceOutputs {
 public:
  // `scores`: the output whose values are class scores; probabilities are told from logits by their sums.
  static Result<ReferenceOutputs> record(Session& original, const DatasetFeed& feed,
                                         std::vector<int64_t> items, size_t scores = 0);
  // Runs `other` on the same items.
  Result<OutputDistance> distance(Session& other) const;
  size_t items() const { return items_.size(); }
  bool scores_are_probabilities() const { return probabilities_; }

 private:
  DatasetFeed feed_;
  std::vector<int64_t> items_;
  std::vector<std::vector<std::vector<float>>>
      outputs_;  // [item][output], empty where it holds no real numbers
  size_t scores_ = 0;
  bool probabilities_ = false;
};

}  // namespace pith::eval
