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
#include "converter/eval/metric_command.h"

namespace pith::compress {

struct Evaluated {
  double value = 0;  // of the metric
  eval::Interval interval;
  double drop = 0;  // share of items; of a metric command: share of the original's value
  std::optional<eval::PairedCounts> paired;  // the original first; none for a metric command
  eval::ClassificationMetrics metrics;
};

struct JudgedItems {
  data::Dataset set;
  std::vector<int64_t> index;  // in the evaluation data, for metric commands
};

// The original's answers on a data set, once; then any other form of it against them.
class Judge {
 public:
  Judge() = default;
  // max_items: 0 for all; a metric command always sees all.
  static Result<Judge> create(JudgedItems items, Session& original, const CompressOptions& options,
                              int64_t max_items, std::function<void(int64_t done, int64_t total)> progress);
  Result<Evaluated> judge(Session& model) const;
  const Evaluated& original() const { return original_; }
  int64_t items() const { return command_.command.empty() ? original_.metrics.items() : items_.set.size(); }

 private:
  Result<Evaluated> measure(Session& model) const;
  JudgedItems items_;
  eval::AccuracyOptions options_;
  eval::MetricCommand command_;
  std::string metric_;
  Evaluated original_;
};

eval::Proportion metric_of(const eval::ClassificationMetrics& metrics, const std::string& metric);

// Would a model that did like this on the search items be certified on `proof_items` others? The drop's upper bound there,
// as a share: the drop seen (never credited when negative) plus the one-sided 95 % margin at the disagreement seen.
double expected_bound(const eval::PairedCounts& search, int64_t proof_items);

// Of the units' weights as the graph, a mixture made by `maker`, stores them; scales included.
double bits_per_weight(const MixedModel& maker, const std::vector<Unit>& units, const ir::Graph& graph);

class Trials {
 public:
  // times: of the device; null: measured here.
  Trials(const MixedModel& maker, const std::vector<Unit>& units, const Judge& judge,
         const CompressOptions& options, const LayerTimes* times)
      : maker_(maker), units_(units), judge_(judge), options_(options), times_(times) {}

  // Evaluates a plan, or finds it among those already evaluated. The index stays valid.
  Result<size_t> add(const std::string& name, const PrecisionPlan& plan);
  const std::vector<Candidate>& candidates() const { return candidates_; }
  // What the drop on `proof_items` others may reach: expected_bound; of a metric command the drop itself.
  double bound(size_t i, int64_t proof_items) const;
  // Marks those that no other beats in bytes and accuracy, and hands all over.
  std::vector<Candidate> finish();

 private:
  Result<double> time_of(const PrecisionPlan& plan, Session& session) const;

  const MixedModel& maker_;
  const std::vector<Unit>& units_;
  const Judge& judge_;
  const CompressOptions& options_;
  const LayerTimes* times_;
  std::vector<Candidate> candidates_;
  std::vector<std::optional<eval::PairedCounts>> paired_;
};

}  // namespace pith::compress
