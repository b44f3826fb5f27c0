// The steps of static int8 and their guards.
#include "converter/compile/int8_flow.h"

#include <cmath>
#include <filesystem>

#include "converter/compile/int8_bias.h"
#include "converter/compile/load_model.h"
#include "converter/eval/dataset_feed.h"
#include "converter/eval/traced_values.h"
#include "converter/passes/pass.h"
#include "converter/quantize/widen_half.h"

namespace pith {
namespace {

constexpr int64_t kJudgingItems = 64;  // at most; each is run by the original and every candidate

struct Runnable {  // keeps what its session reads
  LoadedModel model;
  std::unique_ptr<Session> session;
};

Result<Runnable> runnable(const ir::Graph& graph, size_t threads) {
  Runnable r;
  PITH_ASSIGN(r.model, compile_in_memory(graph));
  SessionOptions options;
  options.threads = threads;
  PITH_ASSIGN(r.session, Session::create(r.model.model, options));
  return r;
}

class Flow {
 public:
  Flow(const GraphMakerFn& make, const Int8FlowOptions& options, Int8FlowReport* report)
      : make_(make), options_(options), report_(*report) {}

  Result<std::unique_ptr<ir::Graph>> run() {
    PITH_RETURN_IF_ERROR(open_data());
    PITH_ASSIGN(std::unique_ptr<ir::Graph> graph, candidate(false, &report_.ranges));
    PITH_ASSIGN(double error, output_error(*graph));
    if (options_.equalize) PITH_RETURN_IF_ERROR(try_equalized(&graph, &error));
    if (options_.correct_bias) PITH_RETURN_IF_ERROR(try_bias(*graph, &error));
    report_.output_sqnr_db = decibel(error);
    return graph;
  }

 private:
  static double decibel(double noise_share) {
    return noise_share > 0 ? -10 * std::log10(noise_share) : INFINITY;
  }

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
    PITH_ASSIGN(const std::unique_ptr<ir::Graph> graph, float_graph());
    PITH_ASSIGN(original_, runnable(*graph, options_.threads));
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
    return Status::ok();
  }

  // kJudgingItems of them, evenly spread.
  static void thin(std::vector<int64_t>* items) {
    const size_t n = items->size();
    for (size_t i = 0; i < static_cast<size_t>(kJudgingItems); ++i)
      (*items)[i] = (*items)[i * n / static_cast<size_t>(kJudgingItems)];
    items->resize(static_cast<size_t>(kJudgingItems));
  }

  Result<std::unique_ptr<ir::Graph>> float_graph() const {
    PITH_ASSIGN(std::unique_ptr<ir::Graph> graph, make_());
    if (quantize::widen_half_activations(*graph).activations > 0)
      PITH_RETURN_IF_ERROR(run_passes(*graph, {}));
    quantize::widen_half_weights(*graph);
    return graph;
  }

  Result<std::unique_ptr<ir::Graph>> candidate(bool equalized, quantize::StaticInt8Report* ranges) {
    PITH_ASSIGN(std::unique_ptr<ir::Graph> graph, float_graph());
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

  // Power of the error over power of the signal, averaged over the outputs.
  Result<double> output_error(const ir::Graph& graph) {
    PITH_ASSIGN(const Runnable quantized, runnable(graph, options_.threads));
    Session &a = *original_.session, &b = *quantized.session;
    std::vector<double> signal(a.output_count()), noise(a.output_count());
    for (const int64_t item : judging_) {
      PITH_RETURN_IF_ERROR(feed_.feed(item, a));
      PITH_RETURN_IF_ERROR(a.run());
      PITH_RETURN_IF_ERROR(feed_.feed(item, b));
      PITH_RETURN_IF_ERROR(b.run());
      for (size_t o = 0; o < signal.size() && o < b.output_count(); ++o)
        add(a.output(o), b.output(o), &signal[o], &noise[o]);
    }
    double share = 0;
    size_t counted = 0;
    for (size_t o = 0; o < signal.size(); ++o) {
      if (signal[o] <= 0) continue;
      share += noise[o] / signal[o];
      ++counted;
    }
    return counted == 0 ? 0.0 : share / static_cast<double>(counted);
  }

  static void add(const TensorView& exact, const TensorView& other, double* signal, double* noise) {
    if (!eval::has_real_values(exact) || !eval::has_real_values(other) || exact.count() != other.count())
      return;
    const std::vector<float> x = eval::real_values(exact), y = eval::real_values(other);
    for (size_t i = 0; i < x.size(); ++i) {
      const double d = double{y[i]} - double{x[i]};
      *signal += double{x[i]} * double{x[i]};
      *noise += d * d;
    }
  }

  Status try_equalized(std::unique_ptr<ir::Graph>* graph, double* error) {
    quantize::StaticInt8Report ranges;
    PITH_ASSIGN(std::unique_ptr<ir::Graph> other, candidate(true, &ranges));
    if (other == nullptr) return Status::ok();
    PITH_ASSIGN(const double after, output_error(*other));
    GuardedStep& step = report_.equalized;
    step = {true, after < *error, decibel(*error), decibel(after)};
    if (!step.kept) return Status::ok();
    *graph = std::move(other);
    *error = after;
    report_.ranges = std::move(ranges);
    return Status::ok();
  }

  Status try_bias(ir::Graph& graph, double* error) {
    PITH_ASSIGN(const Runnable quantized, runnable(graph, options_.threads));
    // Each layer is compared with the graph it was made from.
    Runnable equalized;
    if (report_.equalized.kept) {
      PITH_ASSIGN(const std::unique_ptr<ir::Graph> exact, float_graph());
      quantize::equalize_layers(*exact);
      PITH_ASSIGN(equalized, runnable(*exact, options_.threads));
    }
    Session& original = report_.equalized.kept ? *equalized.session : *original_.session;
    const Feed feed = [this](int64_t item, Session& to) { return feed_.feed(item, to); };
    PITH_ASSIGN(const BiasShifts shifts,
                measure_bias_shifts(graph, original, *quantized.session, feed, fitting_, judging_));
    if (shifts.layers.empty()) return Status::ok();
    shifts.apply(graph);
    PITH_ASSIGN(const double after, output_error(graph));
    GuardedStep& step = report_.bias_corrected;
    step = {true, after < *error, decibel(*error), decibel(after)};
    if (!step.kept) {
      shifts.undo(graph);
      graph.drop_unused_values();
      return Status::ok();
    }
    graph.drop_unused_values();
    *error = after;
    report_.bias_channels = shifts.accepted;
    report_.bias_layers = shifts.layers.size();
    return Status::ok();
  }

  const GraphMakerFn& make_;
  const Int8FlowOptions& options_;
  Int8FlowReport& report_;
  data::Dataset set_;
  Runnable original_;
  eval::DatasetFeed feed_;
  std::vector<int64_t> judging_, fitting_;
};

}  // namespace

Result<std::unique_ptr<ir::Graph>> run_int8_flow(const GraphMakerFn& make, const Int8FlowOptions& options,
                                                 Int8FlowReport* report) {
  return Flow(make, options, report).run();
}

}  // namespace pith
