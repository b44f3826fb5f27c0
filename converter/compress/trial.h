// Trials: whole mixtures made, evaluated on the search items and remembered.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "converter/compile/runnable.h"
#include "converter/compress/compress.h"
#include "converter/compress/mixed_model.h"
#include "converter/data/dataset.h"
#include "converter/eval/accuracy.h"

namespace pith::compress {

struct Evaluated {
  eval::ClassificationMetrics metrics;
  eval::PairedCounts paired;  // the original first
};

// The original's answers on a data set, once; then any other form of it against them.
class Judge {
 public:
  Judge() = default;
  static Result<Judge> create(data::Dataset items, Session& original, const std::string& scores,
                              int64_t max_items, std::function<void(int64_t done, int64_t total)> progress);
  Result<Evaluated> judge(Session& model) const;
  const eval::ClassificationMetrics& original() const { return original_; }
  int64_t items() const { return original_.items(); }

 private:
  data::Dataset items_;
  eval::AccuracyOptions options_;
  eval::ClassificationMetrics original_;
};

eval::Proportion metric_of(const eval::ClassificationMetrics& metrics, const std::string& metric);

// Would a model that did like this on the search items be certified on `proof_items` others? The drop's upper bound there,
// as a share: the drop seen (never credited when negative) plus the one-sided 95 % margin at the disagreement seen.
double expected_bound(const eval::PairedCounts& search, int64_t proof_items);

class Trials {
 public:
  Trials(const MixedModel& maker, const std::vector<Unit>& units, const Judge& judge,
         const CompressOptions& options)
      : maker_(maker), units_(units), judge_(judge), options_(options) {}

  // Evaluates a plan, or finds it among those already evaluated. The index stays valid.
  Result<size_t> add(const std::string& name, const PrecisionPlan& plan);
  const std::vector<Candidate>& candidates() const { return candidates_; }
  const eval::PairedCounts& paired(size_t i) const { return paired_[i]; }
  // Marks those that no other beats in bytes and accuracy, and hands all over.
  std::vector<Candidate> finish();

 private:
  const MixedModel& maker_;
  const std::vector<Unit>& units_;
  const Judge& judge_;
  const CompressOptions& options_;
  std::vector<Candidate> candidates_;
  std::vector<eval::PairedCounts> paired_;
};

}  // namespace pith::compress
