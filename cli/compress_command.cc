// pith compress: the smallest model that keeps its promise, with a certificate, or a refusal.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/option_table.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/tensor_error.h"
#include "converter/compress/compress.h"
#include "converter/compress/recipe.h"
#include "converter/compress/report_json.h"
#include "converter/data/atomic_file.h"
#include "converter/report/report_html.h"

namespace pith::cli {
namespace {

using compress::Refusal;

struct Options {
  compress::CompressOptions compress;
  std::string recipe;
  compress::PrecisionPlan plan;  // of the recipe
  std::shared_ptr<const std::vector<OptionRow>> rows;
  std::string max_drop, max_size, max_latency, precision, weight_method;
  std::string int8_weights = "per-channel", int8_ranges = "tournament", rounding = "learned";
  std::vector<std::string> forms, shapes, accepted, allowed, layers, formats, reports;
  bool json = false;
};

// "1.5%" with the unit wanted, "1.5" otherwise.
Result<double> number_before(const std::string& text, const std::string& unit, const char* option) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && std::string(at, end) == unit && value >= 0) return value;
  return Status(Code::bad_argument,
                std::string(option) + " '" + text + "': expected a number and '" + unit + "' behind it");
}

struct SizeUnit {
  const char* name;
  double bytes;
};
constexpr SizeUnit kSizeUnits[] = {{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}};

Status read_size(const std::string& text, compress::Budgets* budgets) {
  if (text.empty()) return Status::ok();
  if (text.back() == '%') {
    PITH_ASSIGN(const double percent, number_before(text, "%", "--max-size"));
    budgets->max_size_share = percent / 100;
    return Status::ok();
  }
  for (const SizeUnit& unit : kSizeUnits) {
    const std::string name = unit.name;
    if (text.size() <= name.size() || text.compare(text.size() - name.size(), name.size(), name) != 0)
      continue;
    const Result<double> value = number_before(text, name, "--max-size");
    if (!value.is_ok() || value.value() * unit.bytes > 1e18) break;
    budgets->max_bytes = static_cast<uint64_t>(value.value() * unit.bytes);
    return Status::ok();
  }
  return Status(Code::bad_argument,
                "--max-size '" + text + "': expected 25% of the source, or 800kB, 2MB, 1.5GB");
}

Status read_budgets(const Options& options, compress::Budgets* budgets) {
  PITH_RETURN_IF_ERROR(read_size(options.max_size, budgets));
  if (!options.max_drop.empty()) {
    PITH_ASSIGN(const double percent, number_before(options.max_drop, "%", "--max-drop"));
    budgets->max_drop = percent / 100;
  }
  if (!options.max_latency.empty()) {
    PITH_ASSIGN(budgets->max_ms, number_before(options.max_latency, "ms", "--max-latency"));
  }
  const bool none = !budgets->max_drop && !budgets->max_bytes && !budgets->max_size_share && !budgets->max_ms;
  if (none) budgets->max_drop = 0.01;
  return Status::ok();
}

Status read_int8(const Options& options, compress::CompressOptions* to) {
  if (options.int8_weights != "per-channel" && options.int8_weights != "per-tensor")
    return Status(Code::bad_argument,
                  "--int8-weights '" + options.int8_weights + "': use per-channel or per-tensor");
  to->per_channel = options.int8_weights == "per-channel";
  constexpr std::pair<const char*, quantize::RangeMethod> kMethods[] = {
      {"min-max", quantize::RangeMethod::min_max},
      {"kl", quantize::RangeMethod::kl},
      {"mse", quantize::RangeMethod::mse}};
  if (options.rounding != "learned" && options.rounding != "nearest")
    return Status(Code::bad_argument, "--rounding '" + options.rounding + "': use learned or nearest");
  to->learn_rounding = options.rounding == "learned";
  const std::string& text = options.int8_ranges;
  if (text == "tournament") return Status::ok();
  for (const auto& [name, method] : kMethods)
    if (text == name) to->int8_ranges = method;
  if (to->int8_ranges) return Status::ok();
  const std::string prefix = "percentile:";
  if (text.compare(0, prefix.size(), prefix) != 0)
    return Status(Code::bad_argument,
                  "--int8-ranges '" + text + "': use tournament, min-max, kl, mse or percentile:99.99");
  PITH_ASSIGN(to->percentile, number_before(text.substr(prefix.size()), "", "--int8-ranges"));
  to->int8_ranges = quantize::RangeMethod::percentile;
  return Status::ok();
}

Status read_layers(const Options& options, compress::CompressOptions* to) {
  for (const std::string& text : options.layers) {
    const size_t equals = text.rfind('=');
    if (equals == std::string::npos || equals == 0)
      return Status(Code::bad_argument, "--layer '" + text + "': expected PATTERN=PRECISION");
    PITH_ASSIGN(const compress::LayerFormat format, compress::parse_layer_format(text.substr(equals + 1)));
    to->forced.emplace_back(text.substr(0, equals), format);
  }
  for (const std::string& text : options.formats) {
    PITH_ASSIGN(const compress::LayerFormat format, compress::parse_layer_format(text));
    to->formats.push_back(format);
  }
  for (const std::string& text : options.forms) {
    PITH_ASSIGN(const compress::FloatForm form, compress::parse_float_form(text));
    to->forms.push_back(form);
  }
  if (!options.weight_method.empty()) {
    PITH_ASSIGN(to->weight_method, compress::parse_weight_method(options.weight_method));
  }
  if (options.precision.empty()) {
    // Behind the patterns given, of which the first match counts.
    for (const auto& [layer, format] : options.plan)
      to->forced.emplace_back(compress::exact_pattern(layer), format);
    return Status::ok();
  }
  PITH_ASSIGN(to->uniform, compress::parse_layer_format(options.precision));
  return Status::ok();
}

Status read_recipe_into(Options& options) {
  if (options.recipe.empty()) return check_required(*options.rows);
  PITH_ASSIGN(const compress::Recipe recipe, compress::read_recipe(options.recipe));
  PITH_RETURN_IF_ERROR(apply_recipe(*options.rows, recipe));
  options.plan = recipe.plan;
  return check_required(*options.rows);
}

// out.html -> out.recipe.yaml, with what was given and what was chosen.
Status write_recipe(const Options& options, const compress::CompressReport& result) {
  if (options.reports.empty() || result.chosen >= result.candidates.size()) return Status::ok();
  const auto entries = entries_of(*options.rows, {"recipe", "json", "layer"});
  const compress::PrecisionPlan& plan = result.candidates[result.chosen].plan;
  const std::string text =
      compress::recipe_text(entries, options.precision.empty() ? plan : compress::PrecisionPlan());
  std::filesystem::path path = options.reports.front();
  path.replace_extension(".recipe.yaml");
  return data::write_file_atomically(path.string(), text.data(), text.size());
}

Status read_options(Options& options) {
  PITH_RETURN_IF_ERROR(read_recipe_into(options));
  compress::CompressOptions& to = options.compress;
  PITH_RETURN_IF_ERROR(read_budgets(options, &to.budgets));
  PITH_RETURN_IF_ERROR(read_layers(options, &to));
  PITH_RETURN_IF_ERROR(read_int8(options, &to));
  for (const std::string& shape : options.shapes) PITH_RETURN_IF_ERROR(parse_shape_option(shape, &to.shapes));
  for (const std::string& name : options.accepted) {
    PITH_ASSIGN(const CalibrationFault fault, parse_calibration_fault(name));
    to.accepted_faults.insert(fault);
  }
  for (const std::string& name : options.allowed) {
    PITH_ASSIGN(const Refusal refusal, compress::parse_refusal(name));
    to.allowed.insert(refusal);
  }
  for (const std::string& path : options.reports) PITH_RETURN_IF_ERROR(report::check_report_path(path));
  return Status::ok();
}

int exit_code_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::accuracy:
    case Refusal::full_precision:
    case Refusal::sensitive:
      return kExitAccuracy;
    case Refusal::undecided:
    case Refusal::unevaluated:
      return kExitData;
    case Refusal::size:
    case Refusal::latency:
    case Refusal::slower:
      return kExitBudget;
  }
  return kExitInternal;
}

void print_candidates(const compress::CompressReport& r) {
  std::printf("%-14s %10s %6s %6s %9s %17s %7s %9s\n", "model", "size", "share", "bits", "accuracy", "95 %",
              "drop", "ms");
  for (size_t i = 0; i < r.candidates.size(); ++i) {
    const compress::Candidate& c = r.candidates[i];
    if (!c.pareto && i != r.chosen && c.name.find(' ') != std::string::npos && c.name.rfind("int4", 0) != 0)
      continue;
    std::printf(
        "%-14s %10s %5.1f%% %6.2f %8.2f%% %7.2f to %6.2f %7.2f %9.3f%s%s\n", c.name.c_str(),
        bytes_text(c.bytes).c_str(),
        r.source_bytes > 0 ? 100.0 * static_cast<double>(c.bytes) / static_cast<double>(r.source_bytes) : 0,
        c.bits_per_weight, 100 * c.value, 100 * c.interval.low, 100 * c.interval.high, 100 * c.drop, c.ms,
        c.pareto ? "  pareto" : "", i == r.chosen ? "  chosen" : "");
  }
}

void print_certificate(const compress::CompressReport& r) {
  const compress::Certificate& c = *r.certificate;
  if (c.model.n > 0)
    std::printf("proof on %lld items: %s %.2f %% -> %.2f %%, top1 drop %.2f points (95 %%: %.2f to %.2f)\n",
                static_cast<long long>(c.model.n), c.metric.c_str(), 100 * c.baseline.value(),
                100 * c.model.value(), 100 * c.drop.drop, 100 * c.drop.interval.low,
                100 * c.drop.interval.high);
  if (c.by_command())
    std::printf("proof on %lld items: %s gives %g -> %g (%.2f %% less; a command gives no interval)\n",
                static_cast<long long>(c.items), c.metric.c_str(), c.baseline_value, c.value,
                100 * c.drop.drop);
  if (c.worst_class >= 0)
    std::printf("worst class %lld: %.2f points\n", static_cast<long long>(c.worst_class),
                100 * c.worst_class_drop);
  if (c.outputs.items > 0)
    std::printf(
        "outputs against the original's on %lld items: KL divergence %.3g, %s, cosine %.6f, mean error "
        "%.3g\n",
        static_cast<long long>(c.outputs.items), c.outputs.kl, sqnr_text(c.outputs.scores).c_str(),
        c.outputs.scores.cosine(), c.outputs.scores.mean_shift());
  std::printf("%.3f ms -> %.3f ms per run%s%s\n", c.baseline_ms, c.ms,
              c.times_of.empty() ? "" : " by layer times of ", c.times_of.c_str());
}

int finish(const Options& options, const compress::CompressReport& r) {
  for (const std::string& note : r.notes) std::fprintf(stderr, "pith compress: note: %s\n", note.c_str());
  if (options.json) {
    std::printf("%s\n", compress::report_json(r).c_str());
  } else {
    if (r.search_items > 0) print_candidates(r);
    if (r.certificate) print_certificate(r);
  }
  if (r.refusals.empty()) {
    if (!options.json)
      std::printf("%s: %s, %.1f %% of %s\n", options.compress.output.c_str(),
                  bytes_text(r.file_bytes).c_str(),
                  100.0 * static_cast<double>(r.file_bytes) /
                      static_cast<double>(std::max<uint64_t>(r.source_bytes, 1)),
                  bytes_text(r.source_bytes).c_str());
    return kExitOk;
  }
  for (const compress::Finding& f : r.refusals)
    std::fprintf(stderr, "pith compress: refused (%s): %s; --allow %s overrides\n", compress::name_of(f.kind),
                 f.message.c_str(), compress::name_of(f.kind));
  return exit_code_of(r.refusals.front().kind);
}

int run(Options& options) {
  if (Status s = read_options(options); !s.is_ok()) return report("compress", s);
  std::unique_ptr<Progress> bar;
  std::string shown;
  options.compress.progress = [&](const std::string& what, int64_t done, int64_t total) {
    if (what != shown) bar = std::make_unique<Progress>(what), shown = what;
    bar->update(static_cast<size_t>(done), static_cast<size_t>(total));
  };
  compress::CompressReport result;
  const Status status = compress::compress(options.compress, &result);
  bar.reset();
  for (const std::string& path : options.reports)
    if (const Status s = report::write_report(path, options.compress, result, status); !s.is_ok())
      return report("compress", s);
  if (const Status s = write_recipe(options, result); !s.is_ok()) return report("compress", s);
  if (!status.is_ok()) {
    const int code = report("compress", status);
    const bool data_fault = status.code() == Code::bad_argument || status.code() == Code::bad_file;
    return result.stage == compress::CompressReport::Stage::data && data_fault ? kExitData : code;
  }
  return finish(options, result);
}

}  // namespace

void add_compress(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<Options>();
  compress::CompressOptions& c = options->compress;
  CommandLine line(app, "compress", "Make a model as small as its accuracy allows, with a certificate");
  line.leave_required();
  line.argument("MODEL", &c.source, "Source model (.onnx)");
  line.required("-o,--output", &c.output, "FILE", "File to write");
  line.text("--calibrate", &c.calibration, "DATA",
            "Representative data; without it static int8 is not available");
  line.text("--eval", &c.evaluation, "DATA",
            "Labelled data: split into a part for searching and a part for the proof");
  line.text("--max-drop", &options->max_drop, "P%",
            "Allowed drop of accuracy in points (1% when no budget is given)");
  line.text("--max-size", &options->max_size, "SIZE", "25% of the source, or 800kB, 2MB");
  line.text("--max-latency", &options->max_latency, "TIME",
            "5ms, median of one run on this machine, or by --layer-times");
  line.texts("--layer-times", &c.layer_times, "FILE",
             "Times of the device instead of this machine's, by `pith tune --layer-times` there: of the fp32 "
             "model and of each "
             "precision to choose from (repeatable)");
  line.text("--metric", &c.metric, "NAME", "top1 or top5: what is reported; the gate compares top1");
  line.text("--metric-command", &c.metric_command, "COMMAND",
            "Your own metric: run with a folder of ITEM/outputK.npy, prints a number, larger is better; no "
            "interval");
  line.text("--scores", &c.scores, "NAME", "The output that holds the scores (the first otherwise)");
  line.text(
      "--precision", &options->precision, "NAME",
      "No search: fp16, bf16, int8, int8-dynamic, int4, int4-g64, nf4, fp4 ... wherever a layer can take it");
  line.texts("--layer", &options->layers, "PATTERN=NAME",
             "Fix the precision of layers by a shell pattern (repeatable)");
  line.texts("--format", &options->formats, "NAME", "Choose among these precisions only (repeatable)");
  line.text(
      "--weight-method", &options->weight_method, "NAME",
      "4-bit weights by one method instead of the best for each layer: plain, search, hqq, weighted, gptq");
  line.texts(
      "--rewrite", &options->forms, "NAME",
      "Try only these before quantizing: as-it-came, equalized, smoothed, outliers-split, awq (repeatable)");
  line.text("--int8-weights", &options->int8_weights, "NAME",
            "per-channel, or per-tensor (one scale for a layer)");
  line.text("--int8-ranges", &options->int8_ranges, "NAME",
            "tournament, or one method for all tensors: min-max, kl, mse, percentile:99.99");
  line.text("--rounding", &options->rounding, "NAME",
            "learned (AdaRound where an int8 or int4 layer needs it, if it helps) or nearest");
  line.count("--calibration-items", &c.calibration_items, 1, size_t{1} << 40, "Use at most this many items");
  line.count("--sensitivity-items", &c.sensitivity_items, 1, size_t{1} << 20,
             "Items for measuring one layer at a time");
  line.real("--proof-share", &c.proof_share, 0.05, 0.95, "Share of the evaluation items kept for the proof");
  line.texts("--accept-calibration", &options->accepted, "FAULT",
             "Go on although the data are: small, constant, leak, mismatch, coverage (repeatable)");
  line.texts("--allow", &options->allowed, "FINDING",
             "Write the file although: accuracy, undecided, unevaluated, full-precision, sensitive, size, "
             "latency, slower");
  line.texts("--shape", &options->shapes, "NAME=1,3,224,224", "Fix the shape of an input (repeatable)");
  line.count("--threads", &c.threads, 1, 1024, "Threads");
  line.texts("--report", &options->reports, "FILE",
             "Write a page (.html) or all figures (.json) (repeatable)");
  line.text("--recipe", &options->recipe, "FILE",
            "Options from a YAML file, one `name: value` a line; what is given here counts");
  line.flag("--json", &options->json, "Print one JSON object");
  options->rows = line.options();
  line.examples(
      "Exit codes: 4 the drop is too large, 5 the data cannot tell or are unusable, 6 too large or too "
      "slow.\n\n"
      "Examples:\n"
      "  pith compress model.onnx -o model.pith --calibrate train.json --eval test.json --max-drop 1% "
      "--report report.html\n"
      "  pith compress model.onnx -o model.pith --calibrate train.json --eval test.json --max-size 25%\n"
      "  pith compress model.onnx -o model.pith --calibrate train.json --eval test.json --precision int8 "
      "--max-drop 0.5%\n"
      "  pith compress model.onnx -o model.pith --calibrate train.json --eval test.json --layer "
      "'conv1*=fp16'");
  line.run([options, exit_code] { *exit_code = run(*options); });
}

}  // namespace pith::cli
