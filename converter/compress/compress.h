// `pith compress`: from a float model, calibration data, evaluation data and budgets to the smallest model that keeps its
// promise, with a certificate; or a refusal that says what was measured and what would help.
//
//   1. audit of the data, split of the evaluation items into search and proof by their content hash
//   2. sensitivity: every unit in every format, alone                                         sensitivity.h
//   3. a nested path of mixtures from the least damage to the least cost                      budget_search.h
//   4. bisection of the path with real evaluations on the search items, then local repair
//   5. one look at the proof items: the certificate                                           certificate.h
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "converter/compile/calibration_audit.h"
#include "converter/compile/guarded_bias.h"
#include "converter/compress/analytic_bias.h"
#include "converter/compress/certificate.h"
#include "converter/compress/float_form.h"
#include "converter/compress/layer_format.h"
#include "converter/compress/layer_outcome.h"
#include "converter/compress/learned_rounding.h"
#include "converter/compress/sensitivity.h"
#include "converter/compress/weight_ladder.h"
#include "runtime/base/shape.h"

namespace pith::compress {

struct Budgets {
  std::optional<double> max_drop;        // share of items, 0.01 is one point
  std::optional<uint64_t> max_bytes;     // of the file
  std::optional<double> max_size_share;  // of the source's bytes; becomes max_bytes
  std::optional<double> max_ms;          // median of one run
};

struct CompressOptions {
  std::string source, output;
  std::map<std::string, Shape> shapes;
  std::string calibration, evaluation;
  std::string metric = "top1";  // or top5: what is reported; the gate pairs top1
  std::string
      metric_command;  // instead: a program (metric_command.h); max_drop is then a share of the original's value
  std::string scores;  // name of the output with the scores; empty: the first
  Budgets budgets;
  std::vector<LayerFormat> formats;           // to choose from; empty: default_formats()
  std::optional<LayerFormat> uniform;         // no search: this format wherever a layer can take it
  std::optional<WeightMethod> weight_method;  // 4-bit codes by this method alone, without a ladder
  std::vector<std::pair<std::string, LayerFormat>>
      forced;  // shell pattern of node names; the first match counts
  // Static int8 otherwise than by the tournament and per channel: for comparisons, and it may be refused for it.
  bool per_channel = true;
  std::optional<quantize::RangeMethod> int8_ranges;
  double percentile = 99.99;     // of RangeMethod::percentile
  bool learn_rounding = true;    // AdaRound where a layer needs it
  std::vector<FloatForm> forms;  // rewrites to try before quantizing; empty: all that may help
  size_t calibration_items = 256, sensitivity_items = 64;
  int64_t search_items = 0;  // at most, for accuracy while searching; 0: all of the search split
  double proof_share = 0.5;
  std::vector<std::string>
      layer_times;  // files of the device (layer_times.h); empty: times are measured here
  std::set<CalibrationFault> accepted_faults;
  std::set<Refusal> allowed;
  size_t threads = 1;
  std::function<void(const std::string& what, int64_t done, int64_t total)> progress;
};

std::vector<LayerFormat> default_formats(bool calibrated);

struct Candidate {  // a whole model that was evaluated on the search items
  std::string name;
  PrecisionPlan plan;
  uint64_t bytes = 0;          // of the file
  double bits_per_weight = 0;  // of the layers that could change, with scales
  double value = 0;            // of the metric
  eval::Interval interval;
  double drop = 0;
  double ms = 0;
  bool pareto = false;  // none of the others is smaller and at least as right
};

struct LayerResult {
  Unit unit;
  UnitMeasure measured;  // alone, by format
  LayerFormat chosen;
  LayerOutcome outcome;  // in the chosen model
  // By node, of the chosen format where several ways to its codes were tried; the winner first.
  std::map<std::string, std::vector<Rung>> ladder;
  std::map<std::string, quantize::Tournament> input_ranges;  // by node, of static int8
};

struct ClassResult {  // of one class, on the proof items
  int64_t label = 0;
  eval::Proportion before, after;
  double loss() const { return before.value() - after.value(); }
};

struct CompressReport {
  enum class Stage { arguments, import, data, weights, sensitivity, search, proof, emit, done };
  Stage stage = Stage::arguments;
  uint64_t source_bytes = 0, float_bytes = 0, file_bytes = 0;
  double float_ms = 0;
  CalibrationAudit audit;
  int64_t calibration_items = 0, search_items = 0, proof_items = 0;
  std::vector<Candidate> candidates;
  size_t chosen = 0;  // index into candidates
  std::vector<LayerResult> layers;
  std::vector<ClassResult> classes;  // with at least 10 proof items, largest loss first
  std::optional<Certificate> certificate;
  std::vector<FormTrial> forms;   // that were tried; empty without calibration
  size_t form = 0;                // the one in use
  RoundingReport rounding;        // of the chosen model's int8 and int4 layers
  AnalyticBias analytic_bias;     // of its 4-bit layers
  GuardedStep bias_corrected;     // of the chosen model's int8 layers
  std::vector<Finding> refusals;  // not empty: no file was written
  std::vector<std::string> notes;
};

// Ok with report->refusals when the model or the data do not pass; an error for everything else.
Status compress(const CompressOptions& options, CompressReport* report);

}  // namespace pith::compress
