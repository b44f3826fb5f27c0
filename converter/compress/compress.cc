// The steps of a compression, in order.
#include "converter/compress/compress.h"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "converter/compress/evaluation_data.h"
#include "converter/compress/evidence.h"
#include "converter/compress/findings.h"
#include "converter/compress/proof.h"
#include "converter/compress/search.h"
#include "converter/compress/trial.h"
#include "converter/data/atomic_file.h"
#include "converter/emit/emit.h"
#include "converter/eval/latency.h"
#include "converter/passes/pass.h"
#include "converter/quantize/widen_half.h"

namespace pith::compress {
namespace {

namespace fs = std::filesystem;
constexpr uint64_t kCertificateBytes = 2048, kPlanEntryBytes = 20;  // generous
constexpr size_t kJudgingItems = 64;
constexpr int64_t kBiasItems = 256;  // of calibration, for bias correction

Status check_options(const CompressOptions& o) {
  if (!is_onnx_path(o.source))
    return Status(Code::bad_argument,
                  "cannot tell the format of '" + o.source + "': expected a file that ends in .onnx");
  if (o.output.empty()) return Status(Code::bad_argument, "no output file: give -o model.pith");
  std::error_code ignored;
  if (fs::equivalent(o.source, o.output, ignored))
    return Status(Code::bad_argument, "the output '" + o.output + "' is the source itself");
  if (!o.metric_command.empty() && !o.scores.empty())
    return Status(Code::bad_argument,
                  "--scores has no effect beside --metric-command: the program sees all outputs");
  if (o.metric != "top1" && o.metric != "top5")
    return Status(Code::bad_argument, "unknown metric '" + o.metric + "': use top1 or top5");
  if (o.uniform && !o.forced.empty())
    return Status(Code::bad_argument,
                  "--precision fixes every layer, so --layer has no effect: give one of them");
  return Status::ok();
}

class Compressor {
 public:
  Compressor(const CompressOptions& options, CompressReport* report) : options_(options), report_(*report) {}

  Status run() {
    report_.stage = CompressReport::Stage::import;
    PITH_RETURN_IF_ERROR(import_source());
    report_.stage = CompressReport::Stage::data;
    PITH_ASSIGN(data_, open_data(options_, &report_, &findings_));
    if (refused()) return Status::ok();
    PITH_RETURN_IF_ERROR(prepare());
    report_.stage = CompressReport::Stage::search;
    PITH_RETURN_IF_ERROR(choose());
    report_.stage = CompressReport::Stage::proof;
    PITH_RETURN_IF_ERROR(prove());
    if (refused()) return Status::ok();
    report_.stage = CompressReport::Stage::emit;
    PITH_RETURN_IF_ERROR(write());
    report_.stage = CompressReport::Stage::done;
    return Status::ok();
  }

 private:
  Status import_source() {
    PITH_ASSIGN(float_, import_onnx(options_.source, {options_.shapes}));
    PITH_RETURN_IF_ERROR(check_finite_constants(*float_));  // by the names that the source gives
    std::error_code ignored;
    report_.source_bytes = fs::file_size(options_.source, ignored);
    PITH_RETURN_IF_ERROR(run_passes(*float_, {}));
    PITH_RETURN_IF_ERROR(quantize::widen_half(*float_));
    return check_finite_constants(*float_);
  }

  // Allowed findings become part of the certificate, the others end the run.
  bool refused() {
    for (const Finding& f : findings_) {
      if (options_.allowed.count(f.kind) == 0) {
        report_.refusals.push_back(f);
      } else {
        overridden_.insert(f.kind);
        report_.notes.push_back(f.message + " (allowed)");
      }
    }
    findings_.clear();
    return !report_.refusals.empty();
  }

  std::function<void(int64_t, int64_t)> progress(const char* what) const {
    if (!options_.progress) return {};
    return [this, what](int64_t done, int64_t total) { options_.progress(what, done, total); };
  }

  Status feed_first(Session& session) const {
    const data::Dataset& set = data_.search.size() > 0 ? data_.search : data_.calibration;
    if (set.size() == 0) return session.prepare();
    PITH_ASSIGN(const eval::DatasetFeed feed, eval::DatasetFeed::create(set, session));
    return feed.feed(0, session);
  }

  Status prepare() {
    PITH_ASSIGN(original_, runnable(*float_, options_.threads));
    report_.float_bytes = original_.model.bytes.size;
    PITH_RETURN_IF_ERROR(check_fit(data_, options_, *original_.session));
    PITH_RETURN_IF_ERROR(feed_first(*original_.session));
    if (options_.layer_times.empty()) PITH_RETURN_IF_ERROR(time_original());
    quantize::StaticInt8Options int8;
    int8.calibration.max_items = static_cast<int64_t>(options_.calibration_items);
    int8.calibration.threads = options_.threads;
    int8.calibration.progress = progress("calibration");
    int8.per_channel = options_.per_channel;
    int8.ranges.sole = options_.int8_ranges;
    if (options_.int8_ranges == quantize::RangeMethod::percentile)
      int8.ranges.percents = {options_.percentile};
    quantize::ItemSource source;
    eval::DatasetFeed feed;
    if (data_.calibration.size() > 0) {
      PITH_ASSIGN(feed, eval::DatasetFeed::create(data_.calibration, *original_.session));
      source.items = data_.calibration.size();
      source.feed = [&feed](int64_t item, Session& to) { return feed.feed(item, to); };
    }
    PITH_RETURN_IF_ERROR(choose_form(source, feed, int8));
    PITH_ASSIGN(form_, runnable(maker_.float_graph(), options_.threads));
    PITH_RETURN_IF_ERROR(feed_first(*form_.session));
    PITH_RETURN_IF_ERROR(find_layers());
    PITH_RETURN_IF_ERROR(read_times());
    report_.stage = CompressReport::Stage::weights;
    LadderOptions ladder;
    ladder.only = options_.weight_method;
    ladder.max_items = static_cast<int64_t>(options_.calibration_items);
    ladder.threads = options_.threads;
    ladder.progress = progress("weights");
    PITH_ASSIGN(Ladders ladders, climb_ladders(maker_.float_graph(), units_, source, ladder));
    maker_.set_ladders(std::move(ladders));
    return Status::ok();
  }

  Status time_original() {
    Session* const session = original_.session.get();
    PITH_ASSIGN(const std::vector<double> ms, eval::paired_latency_ms({&session, 1}, {0.2, 7}));
    report_.float_ms = ms[0];
    return Status::ok();
  }

  // The rewrites are judged by every 4th calibration item, which made no ranges.
  Status choose_form(const quantize::ItemSource& source, const eval::DatasetFeed& feed,
                     const quantize::StaticInt8Options& int8) {
    if (source.items == 0) {
      name_all_nodes(*float_);
      PITH_ASSIGN(maker_, MixedModel::create(std::move(float_), source, int8));
      return Status::ok();
    }
    std::vector<int64_t> judging;
    for (int64_t i = 3; i < report_.calibration_items && judging.size() < kJudgingItems; i += 4)
      judging.push_back(quantize::calibration_item(i, source.items, report_.calibration_items));
    PITH_ASSIGN(const auto exact, eval::ReferenceOutputs::record(*original_.session, feed, judging));
    FormOptions forms;
    forms.aim = options_.uniform.value_or(LayerFormat{Precision::int8, 0});
    forms.only = options_.forms;
    forms.threads = options_.threads;
    forms.max_items = static_cast<int64_t>(options_.calibration_items);
    forms.progress = progress("rewrites");
    PITH_ASSIGN(ChosenForm chosen, choose_float_form(std::move(float_), source, int8, exact, forms));
    maker_ = std::move(chosen.maker);
    report_.forms = std::move(chosen.trials);
    report_.form = chosen.winner;
    return Status::ok();
  }

  Status find_layers() {
    std::vector<LayerFormat> formats = options_.formats;
    if (formats.empty()) formats = default_formats(maker_.has_calibration());
    if (options_.uniform) formats.push_back(*options_.uniform);
    for (const auto& [pattern, format] : options_.forced) formats.push_back(format);
    std::sort(formats.begin(), formats.end());
    formats.erase(std::unique(formats.begin(), formats.end()), formats.end());
    if (!maker_.has_calibration())
      std::erase_if(formats, [](const LayerFormat& f) { return f.precision == Precision::int8; });
    units_ = find_units(maker_.float_graph(), formats);
    if (units_.empty())
      return Status(
          Code::unsupported,
          "the model has no convolution or matrix product with constant weights: nothing to compress");
    return force_formats();
  }

  Status read_times() {
    if (options_.layer_times.empty()) return Status::ok();
    PITH_ASSIGN(times_, LayerTimes::read(options_.layer_times));
    PITH_RETURN_IF_ERROR(times_->check(units_));
    report_.float_ms = times_->model_ms(units_, {});
    return Status::ok();
  }
  const LayerTimes* times() const { return times_ ? &*times_ : nullptr; }

  Status force_formats() {
    std::vector<size_t> used(options_.forced.size());
    for (Unit& unit : units_) {
      bool fixed = false;
      for (size_t i = 0; i < options_.forced.size(); ++i) {
        const std::string& pattern = options_.forced[i].first;
        const auto& format = options_.forced[i].second;
        const bool matches = std::any_of(unit.nodes.begin(), unit.nodes.end(), [&](const std::string& node) {
          return fnmatch(pattern.c_str(), node.c_str(), 0) == 0;
        });
        if (!matches) continue;
        ++used[i];
        if (fixed) continue;
        if (std::find(unit.formats.begin(), unit.formats.end(), format) == unit.formats.end())
          return Status(Code::bad_argument, "layer '" + unit.name + "' cannot be " + name_of(format));
        unit.formats = {format};
        forced_.insert(unit.name);
        fixed = true;
      }
    }
    for (size_t i = 0; i < used.size(); ++i)
      if (used[i] == 0)
        return Status(Code::bad_argument, "--layer: no layer is called '" + options_.forced[i].first +
                                              "'; `pith inspect` lists them");
    return Status::ok();
  }

  std::optional<uint64_t> search_bytes() const {
    const auto limit = byte_limit(options_, report_.source_bytes);
    const uint64_t reserved = reserved_bytes();
    return limit ? std::optional<uint64_t>(*limit > reserved ? *limit - reserved : 0) : limit;
  }

  Status measure_layers() {
    report_.stage = CompressReport::Stage::sensitivity;
    const data::Dataset& items = data_.search.size() > 0 ? data_.search : data_.calibration;
    if (items.size() == 0)
      return Status(
          Code::bad_argument,
          "choosing a precision per layer needs data: give --eval or --calibrate, or fix --precision");
    PITH_ASSIGN(const eval::DatasetFeed feed, eval::DatasetFeed::create(items, *original_.session));
    const auto wanted = static_cast<int64_t>(options_.sensitivity_items);
    std::vector<int64_t> chosen;
    for (int64_t i = 0; i < std::min(wanted, items.size()); ++i)
      chosen.push_back(quantize::calibration_item(i, items.size(), wanted));
    PITH_ASSIGN(const auto exact, eval::ReferenceOutputs::record(*original_.session, feed, chosen));
    PITH_ASSIGN(measured_,
                measure_sensitivity(maker_, units_, exact, [this](Session& s) { return feed_first(s); },
                                    {options_.threads, times(), progress("sensitivity")}));
    return Status::ok();
  }

  Status choose() {
    if (data_.search.size() == 0) return choose_unevaluated();
    PITH_ASSIGN(const Judge judge, Judge::create({data_.search, data_.search_index}, *original_.session,
                                                 options_, options_.search_items, {}));
    report_.search_items = judge.items();
    Trials trials(maker_, units_, judge, options_, times());
    PITH_RETURN_IF_ERROR(trials.add("fp32", {}).status());
    if (options_.uniform) {
      PITH_ASSIGN(report_.chosen, trials.add(name_of(*options_.uniform), uniform()));
    } else {
      PITH_RETURN_IF_ERROR(measure_layers());
      report_.stage = CompressReport::Stage::search;
      const SearchInput input{units_,           measured_,           options_,      report_.float_bytes,
                              report_.float_ms, report_.proof_items, search_bytes()};
      PITH_ASSIGN(report_.chosen, search_mixture(input, trials));
    }
    report_.candidates = trials.finish();
    return describe_layers();
  }

  PrecisionPlan uniform() const {
    return uniform_plan(units_, *options_.uniform, {{Precision::int8, 0}, {Precision::fp16, 0}});
  }

  // Allowed by the user only. One format, whose size alone is known before the proof.
  Status choose_unevaluated() {
    if (!options_.uniform)
      return Status(Code::bad_argument, "without --eval nothing can be chosen: fix --precision");
    Candidate c;
    c.name = name_of(*options_.uniform);
    c.plan = uniform();
    PITH_ASSIGN(const std::unique_ptr<ir::Graph> graph, maker_.make(c.plan));
    PITH_ASSIGN(const ir::Bytes file, emit_memory(*graph, {}));
    c.bytes = file.size;
    c.bits_per_weight = bits_per_weight(maker_, units_, *graph);
    report_.candidates.push_back(std::move(c));
    return describe_layers();
  }

  Status describe_layers() {
    const PrecisionPlan& plan = report_.candidates[report_.chosen].plan;
    for (size_t u = 0; u < units_.size(); ++u) {
      LayerResult layer;
      layer.unit = units_[u];
      if (u < measured_.size()) layer.measured = measured_[u];
      if (const auto at = plan.find(units_[u].nodes.front()); at != plan.end()) layer.chosen = at->second;
      if (options_.uniform && layer.chosen != *options_.uniform)
        report_.notes.push_back("layer '" + layer.unit.name + "' cannot be " + name_of(*options_.uniform) +
                                ": it is " + name_of(layer.chosen));
      report_.layers.push_back(std::move(layer));
    }
    return Status::ok();
  }

  void describe_choices(const quantize::StaticInt8Report& int8, LayerResult* layer) const {
    add_ladders(layer);
    for (const auto& node : maker_.float_graph().main.nodes)
      for (const quantize::TensorReport& t : int8.tensors)
        if (layer->chosen.precision == Precision::int8 && !t.decision.tournament.entries.empty() &&
            std::count(layer->unit.nodes.begin(), layer->unit.nodes.end(), node->name) > 0 &&
            std::count(t.names.begin(), t.names.end(), node->in(0)->name) > 0)
          layer->input_ranges[node->name] = t.decision.tournament;
    for (const LayerRounding& r : report_.rounding.layers)
      if (r.kept && layer->chosen.precision == Precision::int8 &&
          std::count(layer->unit.nodes.begin(), layer->unit.nodes.end(), r.node) > 0)
        layer->ladder[r.node] = {{WeightMethod::adaround, r.loss_after, "", ""},
                                 {WeightMethod::plain, r.loss_before, "", ""}};
  }

  void add_ladders(LayerResult* layer) const {
    for (const std::string& node : layer->unit.nodes) {
      const auto found = maker_.ladders().find(node);
      if (found == maker_.ladders().end()) continue;
      const auto at = found->second.find(layer->chosen);
      if (at == found->second.end()) continue;
      std::vector<Rung> rungs = at->second.rungs;
      std::rotate(rungs.begin(), rungs.begin() + static_cast<ptrdiff_t>(at->second.winner),
                  rungs.begin() + static_cast<ptrdiff_t>(at->second.winner) + 1);
      layer->ladder[node] = std::move(rungs);
    }
  }

  Status prove() {
    const Candidate& chosen = report_.candidates[report_.chosen];
    quantize::StaticInt8Report int8;
    PITH_ASSIGN(final_, maker_.make_unpacked(chosen.plan, &int8));
    PITH_RETURN_IF_ERROR(refine());
    PITH_RETURN_IF_ERROR(MixedModel::pack(*final_));
    for (LayerResult& layer : report_.layers) describe_choices(int8, &layer);
    PITH_ASSIGN(const Runnable model, runnable(*final_, options_.threads));
    const ProofInput input{options_,           data_,   units_,
                           *original_.session, times(), [this](Session& to) { return feed_first(to); },
                           progress("proof")};
    PITH_ASSIGN(report_.certificate, prove_model(input, *model.session, chosen.plan, &report_));
    PITH_RETURN_IF_ERROR(describe_outcome(*model.session));
    PITH_RETURN_IF_ERROR(measure_file());
    for (Finding& f : findings_of(options_, report_, forced_)) findings_.push_back(std::move(f));
    return Status::ok();
  }

  // What was tried is kept in the file unless that breaks its budget.
  Status measure_file() {
    report_.certificate->overridden = options_.allowed;  // at most
    for (keeps_evidence_ = true;; keeps_evidence_ = false) {
      PITH_ASSIGN(const ir::Bytes file, emit_memory(*final_, described(*report_.certificate)));
      report_.file_bytes = file.size;
      const auto limit = byte_limit(options_, report_.source_bytes);
      if (!keeps_evidence_ || !limit || file.size <= *limit) break;
    }
    if (!keeps_evidence_)
      report_.notes.push_back("what was tried for each layer is left out of the file, to meet its size");
    report_.certificate->overridden.clear();
    return Status::ok();
  }

  // Rounding, then biases. Every 4th calibration item judges, the others measure.
  Status refine() {
    if (data_.calibration.size() == 0) return Status::ok();
    PITH_ASSIGN(const eval::DatasetFeed items,
                eval::DatasetFeed::create(data_.calibration, *original_.session));
    const int64_t used = std::min<int64_t>(report_.calibration_items, kBiasItems);
    std::vector<int64_t> fit, judge;
    for (int64_t i = 0; i < used; ++i)
      (i % 4 == 3 ? judge : fit).push_back(quantize::calibration_item(i, data_.calibration.size(), used));
    PITH_ASSIGN(const auto exact, eval::ReferenceOutputs::record(*original_.session, items, judge));
    const Feed feed = [&items](int64_t item, Session& to) { return items.feed(item, to); };
    const PrecisionPlan& plan = report_.candidates[report_.chosen].plan;
    if (options_.learn_rounding && !options_.weight_method) {
      const quantize::ItemSource source{data_.calibration.size(), feed};
      const RoundingInput input{maker_, plan, source, exact, used, options_.threads, progress("rounding")};
      PITH_ASSIGN(report_.rounding, learn_rounding(input, &final_));
      PITH_ASSIGN(report_.analytic_bias, correct_bias_analytically(input, &final_));
    }
    const bool has_int8 = std::any_of(plan.begin(), plan.end(),
                                      [](const auto& p) { return p.second.precision == Precision::int8; });
    if (!has_int8) return Status::ok();
    PITH_ASSIGN(const GuardedBias bias,
                correct_bias_if_better(*final_, *form_.session, feed, fit, judge, exact, options_.threads));
    report_.bias_corrected = bias.step;
    return Status::ok();
  }

  Status describe_outcome(Session& model) {
    const data::Dataset& items = data_.search.size() > 0 ? data_.search : data_.calibration;
    PITH_ASSIGN(const std::vector<LayerOutcome> outcomes,
                layer_outcomes({units_, maker_.float_graph(), *final_, *form_.session, model, items}));
    for (size_t u = 0; u < outcomes.size() && u < report_.layers.size(); ++u)
      report_.layers[u].outcome = outcomes[u];
    return Status::ok();
  }

  // What the file says about itself.
  EmitOptions described(const Certificate& c) const {
    nlohmann::ordered_json plan;
    for (const auto& [node, format] : report_.candidates[report_.chosen].plan) plan[node] = name_of(format);
    EmitOptions emit;
    emit.metadata = {{"precision", "mixed"},
                     {"source", fs::path(options_.source).filename().string()},
                     {kCertificateKey, certificate_json(c)},
                     {kPlanKey, plan.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)}};
    if (!report_.forms.empty())
      emit.metadata.push_back({kFormKey, name_of(report_.forms[report_.form].form)});
    if (keeps_evidence_) emit.metadata.push_back({kEvidenceKey, evidence_json(report_)});
    if (!report_.audit.hashes.empty()) emit.metadata.push_back(hashes_metadata(report_.audit));
    return emit;
  }

  // Of the metadata, before there is a certificate: what candidates must leave room for under a size budget.
  uint64_t reserved_bytes() const {
    uint64_t bytes = kCertificateBytes + hashes_metadata(report_.audit).second.size();
    for (const Unit& unit : units_)
      for (const std::string& node : unit.nodes) bytes += node.size() + kPlanEntryBytes;
    return bytes;
  }

  Status write() {
    report_.certificate->overridden = overridden_;
    PITH_RETURN_IF_ERROR(emit_file(*final_, described(*report_.certificate), options_.output));
    std::error_code ignored;
    report_.file_bytes = fs::file_size(options_.output, ignored);
    return Status::ok();
  }

  const CompressOptions& options_;
  CompressReport& report_;
  std::unique_ptr<ir::Graph> float_, final_;
  EvaluationData data_;
  Runnable original_;  // the float model as it came
  Runnable form_;      // as the layers are quantized from
  MixedModel maker_;
  std::vector<Unit> units_;
  std::vector<UnitMeasure> measured_;
  std::optional<LayerTimes> times_;  // of the device
  std::set<std::string> forced_;
  std::vector<Finding> findings_;
  std::set<Refusal> overridden_;
  bool keeps_evidence_ = true;
};

}  // namespace

std::vector<LayerFormat> default_formats(bool calibrated) {
  std::vector<LayerFormat> out = {
      {Precision::fp16, 0}, {Precision::int8_dynamic, 0}, {Precision::int4, 32}, {Precision::int4, 128}};
  if (calibrated) out.push_back({Precision::int8, 0});
  return out;
}

Status compress(const CompressOptions& options, CompressReport* report) {
  *report = {};
  PITH_RETURN_IF_ERROR(check_options(options));
  return Compressor(options, report).run();
}

}  // namespace pith::compress
