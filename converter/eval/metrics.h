// Metrics: how right a classifier is, and how far one tensor is from another. Everything accumulates item by
// item in double; nothing keeps the tensors.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "converter/eval/statistics.h"
#include "runtime/base/status.h"

namespace pith::eval {

// Number of scores that come before the label's: larger ones, and equal ones of a lower class index (so that
// ties of quantized scores are decided the same way everywhere). 0 means the label is the prediction. -1 when
// a score is NaN: such an item is wrong, not lucky.
int64_t rank_of_label(std::span<const float> scores, int64_t label);
// Class with rank 0; -1 when a score is NaN or there are none.
int64_t predicted_class(std::span<const float> scores);

struct Proportion {
  int64_t hits = 0, n = 0;
  double value() const { return n == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(n); }
  Interval interval(double confidence = 0.95) const { return wilson_interval(hits, n, confidence); }
};

class ClassificationMetrics {
 public:
  // Scores of one item: logits or probabilities, in the order of classes. A label outside of them is an error
  // that names the item, as is a number of classes that differs from the items before.
  Status add(std::span<const float> scores, int64_t label);

  int64_t items() const { return static_cast<int64_t>(right_.size()); }
  int64_t classes() const { return static_cast<int64_t>(per_class_.size()); }
  Proportion top1() const { return within(1); }
  Proportion top5() const { return within(5); }
  int64_t items_with_nan() const { return nan_items_; }
  // Accuracy on the items of each class, index = label.
  const std::vector<Proportion>& per_class() const { return per_class_; }
  // The class of lowest accuracy among those with items; of equal ones the one with more items, then the
  // lower index. -1 without items.
  int64_t worst_class() const;
  // Whether each item's prediction was right, in the order of add(): for pairing with another model.
  const std::vector<bool>& right() const { return right_; }

 private:
  Proportion within(int k) const;
  std::vector<bool> right_;
  int64_t top5_hits_ = 0, nan_items_ = 0;
  std::vector<Proportion> per_class_;
};

// Pairs two models that saw the same items in the same order; different numbers of items are an error.
Result<PairedCounts> pair_models(const ClassificationMetrics& first, const ClassificationMetrics& second);

// What can be said about a comparison when a ratio has no meaning.
enum class Fidelity : uint8_t {
  normal,
  identical,   // no element differs: SQNR is infinite, reported as this word
  silent,      // the reference is all zero and the other is not: SQNR and cosine mean nothing
  not_finite,  // NaN or infinity in one and not, or not the same, in the other
};
const char* name_of(Fidelity fidelity);

// Distance of `actual` from `reference`, over any number of tensors.
class TensorError {
 public:
  // Both have the same length, or it is an error.
  Status add(std::span<const float> reference, std::span<const float> actual);

  Fidelity fidelity() const;
  int64_t count() const { return count_; }
  // dot / (|reference| |actual|); meaningful for normal and identical. Hides scale errors: never gate on it
  // alone.
  double cosine() const;
  // 10 log10(sum reference^2 / sum (reference - actual)^2); meaningful for normal.
  double sqnr_db() const;
  double max_abs_error() const { return max_abs_error_; }
  double max_abs_reference() const { return max_abs_reference_; }
  double mean_shift() const;  // mean of actual - reference
  // Index, over all elements added, of the largest error; -1 if nothing differs.
  int64_t worst_element() const { return worst_element_; }

 private:
  double signal_ = 0, noise_ = 0, dot_ = 0, actual_ = 0, shift_ = 0;
  double max_abs_error_ = 0, max_abs_reference_ = 0;
  int64_t count_ = 0, worst_element_ = -1, not_finite_ = 0;
};

// Kullback-Leibler divergence sum P ln(P / Q) in nats of one item, P from the reference. Exact softmax in
// double for logits. Probabilities are normalized by their sum first; Q below 1e-12 counts as 1e-12, so the
// result is finite. NaN if a value is NaN, lengths differ, or probabilities are negative or sum to 0.
double kl_of_logits(std::span<const float> reference, std::span<const float> actual);
double kl_of_probabilities(std::span<const float> reference, std::span<const float> actual);
// Of whichever the reference is: probabilities are never negative and sum to 1.
bool are_probabilities(std::span<const float> scores);
double kl_of_scores(std::span<const float> reference, std::span<const float> actual);

}  // namespace pith::eval
