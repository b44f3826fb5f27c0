// pith compare: the error of every layer of a compressed model against the original.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/model_setup.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/tensor_error.h"
#include "converter/eval/layer_compare.h"

namespace pith::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string original, compressed, data, root;
  size_t threads = 1, items = 16;
  bool json = false;
};

Result<eval::LayerComparison> compare(const Options& options) {
  PITH_ASSIGN(const data::Dataset dataset, data::Dataset::open(options.data, {options.root}));
  PITH_ASSIGN(const Loaded original, load_session(options.original, options.threads));
  PITH_ASSIGN(const Loaded compressed, load_session(options.compressed, options.threads));
  eval::LayerCompareOptions compare_options;
  compare_options.max_items = static_cast<int64_t>(options.items);
  Progress progress("compare");
  compare_options.progress = [&](int64_t done, int64_t total) {
    progress.update(static_cast<size_t>(done), static_cast<size_t>(total));
  };
  return eval::compare_layers(dataset, *original.session, *compressed.session, compare_options);
}

void print_result_json(const eval::LayerComparison& c) {
  Json out{{"items", c.items}, {"layers", Json::array()}, {"outputs", Json::array()}};
  for (const eval::LayerError& l : c.layers)
    out["layers"].push_back({{"name", l.node},
                             {"op", l.op},
                             {"precision", l.precision},
                             {"kernel", l.kernel},
                             {"local", tensor_error_json(l.local)},
                             {"cumulative", tensor_error_json(l.cumulative)}});
  for (size_t i = 0; i < c.outputs.size(); ++i) {
    Json row = tensor_error_json(c.outputs[i].cumulative);
    row["name"] = c.outputs[i].node;
    row["kl"] = finite_json(c.output_kl[i]);
    out["outputs"].push_back(std::move(row));
  }
  out["unmatched_steps"] = c.unmatched;
  const size_t culprit = c.culprit();
  out["culprit"] = culprit == std::string::npos ? Json() : Json(c.layers[culprit].node);
  print_json(out);
}

void print_result(const eval::LayerComparison& c) {
  std::printf("%12s %12s  layer\n", "local", "cumulative");
  for (const eval::LayerError& l : c.layers)
    std::printf("%12s %12s  %s %s %s\n", sqnr_text(l.local).c_str(), sqnr_text(l.cumulative).c_str(),
                l.op.c_str(), l.precision.c_str(), l.node.c_str());
  for (size_t i = 0; i < c.outputs.size(); ++i) {
    const eval::TensorError& e = c.outputs[i].cumulative;
    std::printf("output %s: %s, cosine %.6f, largest error %.3g, KL divergence %.3g\n",
                c.outputs[i].node.c_str(), sqnr_text(e).c_str(), e.cosine(), e.max_abs_error(),
                c.output_kl[i]);
  }
  std::printf("%lld items; %zu steps have no counterpart in the original\n", static_cast<long long>(c.items),
              c.unmatched);
  if (const size_t i = c.culprit(); i != std::string::npos)
    std::printf("largest error of its own: %s '%s', %s\n", c.layers[i].op.c_str(), c.layers[i].node.c_str(),
                sqnr_text(c.layers[i].local).c_str());
  else
    std::printf("no layer differs\n");
}

int run(const Options& options) {
  const Result<eval::LayerComparison> result = compare(options);
  if (!result.is_ok()) return report("compare", result.status());
  options.json ? print_result_json(result.value()) : print_result(result.value());
  return kExitOk;
}

}  // namespace

void add_compare(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<Options>();
  CommandLine line(app, "compare", "Find the layers in which a compressed model differs from the original");
  line.argument("ORIGINAL", &options->original, "Original model (.onnx or .pith)");
  line.argument("COMPRESSED", &options->compressed, "Compressed model (.pith)");
  line.required("--data", &options->data, "DATA", "Data set to run both on; labels are not needed");
  line.text("--data-root", &options->root, "DIR", "Replaces the root of a dataset.json");
  line.count("--items", &options->items, 1, size_t{1} << 40, "Use this many items, spread over the data set");
  line.count("--threads", &options->threads, 1, 1024, "Threads");
  line.flag("--json", &options->json, "Print one JSON object");
  line.examples(
      "cumulative: both models run on the same item. local: every layer is given the original's values, so "
      "only\n"
      "its own error is seen. SQNR in dB: 6 dB is one bit.\n\n"
      "Examples:\n"
      "  pith compare model.onnx small.pith --data data/test\n"
      "  pith compare model.pith small.pith --data data/test --items 64 --json");
  line.run([options, exit_code] { *exit_code = run(*options); });
}

}  // namespace pith::cli
