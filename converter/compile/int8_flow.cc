// The steps of static int8 and their guards.
#include "converter/compile/int8_flow.h"

#include <filesystem>

#include "converter/compile/runnable.h"
#include "converter/eval/dataset_feed.h"
#include "converter/eval/reference_outputs.h"
#include "converter/passes/pass.h"
#include "converter/quantize/widen_half.h"

namespace pith {
namespace {

constexpr int64_t kJudgingItems = 64;  // at most; each is run by the original and every candidate

class Flow {
 public:
  Flow(const Int8FlowOptions& options, Int8FlowReport* report) : options_(options), report_(*report) {}

  Result<std::unique_ptr<ir::Graph>> run(const ir::Graph& source) {
    float_ = source.copy();
    PITH_RETURN_IF_ERROR(quantize::widen_half(*float_));
    PITH_RETURN_IF_ERROR(open_data());
    PITH_ASSIGN(std::unique_ptr<ir::Graph> graph, candidate(false, &report_.ranges));
    PITH_ASSIGN(double error, output_error(*graph));
    if (options_.equalize) PITH_RETURN_IF_ERROR(try_equalized(&graph, &error));
    if (options_.correct_bias) PITH_RETURN_IF_ERROR(try_bias(*graph, &error));
    report_.output_sqnr_db = decibel_of(error);
    return graph;
  }

 private:
  Status open_data() {
    PITH_ASSIGN(set_, data::Dataset::open(options_.calibration));
    data::Dataset evaluation;
    if (!options_.evaluation.empty()) {
      PITH_ASSIGN(evaluation, data::Dataset::open(options_.evaluation));
    }
    PITH_ASSIGN(report_.audit,
                audit_calibration(set_, options_.max_items,
                                  options_.evaluation.empty() ? nullptr : &evaluation, options_.accepted));
    // The original at full precision, in the form the candidates start from.
    PITH_ASSIGN(original_, runnable(*float_, options_.threads));
    PITH_ASSIGN(feed_, eval::DatasetFeed::create(set_, *original_.session));
    const quantize::CalibrationOptions calibration;
    const bool too_few = report_.audit.items < calibration.judge_every;
    for (int64_t i = 0; i < report_.audit.items; ++i) {
      const bool judges = i % calibration.judge_every == calibration.judge_every - 1;
      const int64_t item = quantize::calibration_item(i, set_.size(), options_.max_items);
      if (judges || too_few) judging_.push_back(item);
      if (!judges || too_few) fitting_.push_back(item);
    }
    for (std::vector<int64_t>* items : {&judging_, &fitting_})
      if (static_cast<int64_t>(items->size()) > kJudgingItems) thin(items);
    report_.judging_items = static_cast<int64_t>(judging_.size());
    PITH_ASSIGN(exact_, eval::ReferenceOutputs::record(*original_.session, feed_, judging_));
    return Status::ok();
  }

  // kJudgingItems of them, evenly spread.
  static void thin(std::vector<int64_t>* items) {
    const size_t n = items->size();
    for (size_t i = 0; i < static_cast<size_t>(kJudgingItems); ++i)
      (*items)[i] = (*items)[i * n / static_cast<size_t>(kJudgingItems)];
    items->resize(static_cast<size_t>(kJudgingItems));
  }

  Result<std::unique_ptr<ir::Graph>> candidate(bool equalized, quantize::StaticInt8Report* ranges) {
    std::unique_ptr<ir::Graph> graph = float_->copy();
    if (equalized) {
      report_.equalize = quantize::equalize_layers(*graph);
      if (report_.equalize.pairs == 0) return std::unique_ptr<ir::Graph>();
    }
    quantize::ItemSource source;
    source.items = set_.size();
    source.feed = [this](int64_t item, Session& to) { return feed_.feed(item, to); };
    quantize::StaticInt8Options int8;
    int8.calibration.max_items = options_.max_items;
    int8.calibration.threads = options_.threads;
    int8.calibration.progress = options_.progress;
    PITH_ASSIGN(*ranges, quantize::quantize_static_int8(*graph, source, int8));
    // The pairs around every operator become integer operators.
    std::string dump = options_.dump_folder;
    if (!dump.empty()) dump += equalized ? "/int8-equalized" : "/int8";
    std::error_code error;
    if (!dump.empty() && (std::filesystem::create_directories(dump, error), error))
      return Status(Code::io, "cannot make the folder '" + dump + "': " + error.message());
    PITH_RETURN_IF_ERROR(run_passes(*graph, {dump}));
    return graph;
  }

  // eval::OutputDistance::noise_share on the judging items.
  Result<double> output_error(const ir::Graph& graph) {
    PITH_ASSIGN(const Runnable quantized, runnable(graph, options_.threads));
    PITH_ASSIGN(const eval::OutputDistance distance, exact_.distance(*quantized.session));
    return distance.noise_share;
  }

  Status try_equalized(std::unique_ptr<ir::Graph>* graph, double* error) {
    quantize::StaticInt8Report ranges;
    PITH_ASSIGN(std::unique_ptr<ir::Graph> other, candidate(true, &ranges));
    if (other == nullptr) return Status::ok();
    PITH_ASSIGN(const double after, output_error(*other));
    GuardedStep& step = report_.equalized;
    step = {true, after < *error, decibel_of(*error), decibel_of(after)};
    if (!step.kept) return Status::ok();
    *graph = std::move(other);
    *error = after;
    report_.ranges = std::move(ranges);
    return Status::ok();
  }

  Status try_bias(ir::Graph& graph, double* error) {
    // Each layer is compared with the graph it was made from.
    Runnable equalized;
    if (report_.equalized.kept) {
      const std::unique_ptr<ir::Graph> exact = float_->copy();
      quantize::equalize_layers(*exact);
      PITH_ASSIGN(equalized, runnable(*exact, options_.threads));
    }
    Session& original = report_.equalized.kept ? *equalized.session : *original_.session;
    const Feed feed = [this](int64_t item, Session& to) { return feed_.feed(item, to); };
    PITH_ASSIGN(const GuardedBias bias,
                correct_bias_if_better(graph, original, feed, fitting_, judging_, exact_, options_.threads));
    report_.bias_corrected = bias.step;
    report_.bias_channels = bias.channels;
    report_.bias_layers = bias.layers;
    *error = bias.noise_share;
    return Status::ok();
  }

  const Int8FlowOptions& options_;
  Int8FlowReport& report_;
  std::unique_ptr<ir::Graph> float_;  // what the candidates start from
  data::Dataset set_;
  Runnable original_;
  eval::DatasetFeed feed_;
  eval::ReferenceOutputs exact_;
  std::vector<int64_t> judging_, fitting_;
};

}  // namespace

Result<std::unique_ptr<ir::Graph>> run_int8_flow(const ir::Graph& source, const Int8FlowOptions& options,
                                                 Int8FlowReport* report) {
  return Flow(options, report).run(source);
}

}  // namespace pith
