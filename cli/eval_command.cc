// pith eval: accuracy on labelled data with a confidence interval, alone or against a baseline.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/model_setup.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "converter/compile/int8_summary.h"
#include "converter/eval/accuracy.h"

namespace pith::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string model, data, root, metric = "top1", baseline, output;
  size_t threads = 1, items = 0;
  double max_drop = -1;  // percentage points; negative: no gate
  bool json = false, accept_leak = false;
};

struct Measured {
  eval::Accuracy accuracy;
  std::optional<int64_t> leaked;  // items that made a model's ranges; none: no model says what made it
};

// How many of the items to be judged served to calibrate `model`.
Result<std::optional<int64_t>> leaked_items(const Model& model, const data::Dataset& set, size_t items) {
  std::optional<int64_t> none;
  if (model.program().metadata() == nullptr) return none;
  for (const schema::KeyValue* pair : *model.program().metadata()) {
    if (pair->key() == nullptr || pair->value() == nullptr || pair->key()->str() != kCalibrationHashesKey)
      continue;
    const int64_t judged = items > 0 ? static_cast<int64_t>(items) : set.size();
    PITH_ASSIGN(const int64_t known, count_known_items(pair->value()->str(), set, judged));
    return std::optional<int64_t>(known);
  }
  return none;
}

bool refused(const Options& options, const std::optional<int64_t>& leaked) {
  return leaked.value_or(0) > 0 && !options.accept_leak;
}

Result<Measured> measure(const Options& options) {
  eval::AccuracyOptions accuracy;
  if (options.metric != "top1" && options.metric != "top5")
    return Status(Code::bad_argument, "unknown metric '" + options.metric + "': use top1 or top5");
  if (options.max_drop >= 0 && options.baseline.empty())
    return Status(Code::bad_argument, "--max-drop needs --baseline MODEL to compare with");
  accuracy.output = options.output;
  accuracy.max_items = static_cast<int64_t>(options.items);
  PITH_ASSIGN(const data::Dataset dataset, data::Dataset::open(options.data, {options.root}));
  PITH_ASSIGN(const Loaded model, load_session(options.model, options.threads));
  Loaded baseline;
  if (!options.baseline.empty()) {
    PITH_ASSIGN(baseline, load_session(options.baseline, options.threads));
  }
  Measured result;
  for (const Loaded* l : {&model, static_cast<const Loaded*>(&baseline)}) {
    if (l->model.model == nullptr) continue;
    PITH_ASSIGN(const std::optional<int64_t> leaked, leaked_items(*l->model.model, dataset, options.items));
    if (leaked) result.leaked = std::max(result.leaked.value_or(0), *leaked);
  }
  if (refused(options, result.leaked)) return result;
  Progress progress("eval");
  accuracy.progress = [&](int64_t done, int64_t total) {
    progress.update(static_cast<size_t>(done), static_cast<size_t>(total));
  };
  PITH_ASSIGN(result.accuracy,
              eval::measure_accuracy(dataset, *model.session, baseline.session.get(), accuracy));
  return result;
}

const char* verdict_text(eval::DropVerdict verdict) {
  switch (verdict) {
    case eval::DropVerdict::within:
      return "passed";
    case eval::DropVerdict::exceeded:
      return "failed";
    case eval::DropVerdict::undecided:
      return "undecided";
  }
  return "?";
}

int exit_code_of(eval::DropVerdict verdict) {
  if (verdict == eval::DropVerdict::within) return kExitOk;
  return verdict == eval::DropVerdict::exceeded ? kExitAccuracy : kExitData;
}

struct Summary {
  eval::Proportion model, baseline;  // of the metric asked for
  double drop = 0;                   // paired, by top1
  eval::Interval drop_interval;
  eval::DropDecision gate;
};

Result<Summary> summarize(const Options& options, const eval::Accuracy& a) {
  const bool top5 = options.metric == "top5";
  Summary s;
  s.model = top5 ? a.model.top5() : a.model.top1();
  if (options.baseline.empty()) return s;
  s.baseline = top5 ? a.baseline.top5() : a.baseline.top1();
  PITH_ASSIGN(const eval::PairedCounts paired, eval::pair_models(a.baseline, a.model));
  s.drop = paired.drop();
  s.drop_interval = eval::paired_interval(paired);
  s.gate = eval::judge_drop(paired, options.max_drop / 100);
  return s;
}

Json interval_json(const eval::Interval& i) { return {i.low, i.high}; }

void print_summary_json(const Options& options, const Measured& m, const Summary& s) {
  const eval::Accuracy& a = m.accuracy;
  Json out{{"metric", options.metric},
           {"value", s.model.value()},
           {"ci95", interval_json(s.model.interval())},
           {"n", s.model.n}};
  if (const int64_t worst = a.model.worst_class(); worst >= 0) {
    const eval::Proportion& p = a.model.per_class()[static_cast<size_t>(worst)];
    out["worst_class"] = {{"label", worst}, {"value", p.value()}, {"n", p.n}};
  }
  if (m.leaked) out["calibration_items_among_them"] = *m.leaked;
  if (a.model.items_with_nan() > 0) out["items_with_nan"] = a.model.items_with_nan();
  if (!options.baseline.empty()) {
    out["baseline"] = {{"value", s.baseline.value()}, {"ci95", interval_json(s.baseline.interval())}};
    out["drop"] = {{"metric", "top1"}, {"value", s.drop}, {"ci95", interval_json(s.drop_interval)}};
  }
  if (options.max_drop >= 0) {
    out["verdict"] = verdict_text(s.gate.verdict);
    if (s.gate.items_needed) out["items_needed"] = *s.gate.items_needed;
  }
  print_json(out);
}

void print_summary(const Options& options, const Measured& m, const Summary& s) {
  const eval::Accuracy& a = m.accuracy;
  const auto line = [&](const char* who, const eval::Proportion& p) {
    std::printf("%s%s %.2f %% (95 %%: %.2f to %.2f), n = %lld\n", who, options.metric.c_str(),
                100 * p.value(), 100 * p.interval().low, 100 * p.interval().high,
                static_cast<long long>(p.n));
  };
  line("", s.model);
  if (a.model.items_with_nan() > 0)
    std::printf("%lld items have NaN scores and count as wrong\n",
                static_cast<long long>(a.model.items_with_nan()));
  if (const int64_t worst = a.model.worst_class(); worst >= 0) {
    const eval::Proportion& p = a.model.per_class()[static_cast<size_t>(worst)];
    std::printf("worst class %lld: %.2f %% of %lld\n", static_cast<long long>(worst), 100 * p.value(),
                static_cast<long long>(p.n));
  }
  if (options.baseline.empty()) return;
  line("baseline ", s.baseline);
  std::printf("top1 drop %.2f points (95 %%: %.2f to %.2f), paired\n", 100 * s.drop,
              100 * s.drop_interval.low, 100 * s.drop_interval.high);
  if (options.max_drop < 0) return;
  std::printf("at most %.2f points: %s\n", options.max_drop, verdict_text(s.gate.verdict));
  if (s.gate.items_needed)
    std::printf("about %lld items would decide\n", static_cast<long long>(*s.gate.items_needed));
}

int run(const Options& options) {
  const Result<Measured> measured = measure(options);
  if (!measured.is_ok()) return report("eval", measured.status());
  if (measured.value().leaked.value_or(0) > 0)
    std::fprintf(stderr,
                 "pith eval: %lld of these items calibrated the model, accuracy on them says little%s\n",
                 static_cast<long long>(*measured.value().leaked),
                 options.accept_leak ? " (accepted)" : "; use other data, or --accept-leak");
  if (refused(options, measured.value().leaked)) return kExitData;
  const Result<Summary> summary = summarize(options, measured.value().accuracy);
  if (!summary.is_ok()) return report("eval", summary.status());
  const auto print = options.json ? print_summary_json : print_summary;
  print(options, measured.value(), summary.value());
  return options.max_drop < 0 ? kExitOk : exit_code_of(summary.value().gate.verdict);
}

}  // namespace

void add_eval(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<Options>();
  CommandLine line(app, "eval", "Measure accuracy on labelled data");
  line.argument("MODEL", &options->model, "Model (.pith, or .onnx converted in memory)");
  line.required("--data", &options->data, "DATA", "Folder with inputs.npy and labels.npy, or a dataset.json");
  line.text("--data-root", &options->root, "DIR", "Replaces the root of a dataset.json");
  line.text("--metric", &options->metric, "NAME", "top1 or top5");
  line.text("--output", &options->output, "NAME", "The output that holds the scores (the first otherwise)");
  line.text("--baseline", &options->baseline, "MODEL",
            "Run this model on the same items and report the drop");
  line.real("--max-drop", &options->max_drop, 0, 100,
            "Allowed drop in points: exit code 4 above, 5 if undecided");
  line.count("--items", &options->items, 1, size_t{1} << 40, "Use this many items, spread over the data set");
  line.flag("--accept-leak", &options->accept_leak,
            "Go on although items of the data calibrated the model (exit code 5 otherwise)");
  line.count("--threads", &options->threads, 1, 1024, "Threads");
  line.flag("--json", &options->json, "Print one JSON object");
  line.examples(
      "Intervals are at 95 %: Wilson's for one model, Tango's paired one for the drop (of top1).\n"
      "The gate decides by one-sided bounds at 95 %.\n\n"
      "Examples:\n"
      "  pith eval model.pith --data data/test\n"
      "  pith eval small.pith --data data/test --baseline model.onnx --max-drop 1\n"
      "  pith eval model.pith --data imagenet.json --metric top5 --json");
  line.run([options, exit_code] { *exit_code = run(*options); });
}

}  // namespace pith::cli
