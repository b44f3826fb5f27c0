// pith explain: one layer of a model file: its ranges, codes, what was tried for it, its distance from the source.
#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/explain_text.h"
#include "cli/output.h"
#include "cli/tensor_error.h"
#include "converter/compile/int8_summary.h"
#include "converter/compile/load_model.h"
#include "converter/compress/certificate.h"
#include "converter/compress/evidence.h"
#include "converter/inspect/model_nodes.h"
#include "converter/inspect/stored_weights.h"
#include "converter/inspect/weight_distance.h"

namespace pith::cli {
namespace {

using Json = nlohmann::ordered_json;
using inspect::ModelNode;
using inspect::StoredWeights;

constexpr size_t kBins = 16;
constexpr size_t kNamesShown = 8;

struct Options {
  std::string model, layer, source;
  bool json = false;
};

// A file, its nodes, and what it says about how it was made.
struct Opened {
  LoadedModel file;
  std::vector<ModelNode> nodes;
  std::map<std::string, std::string> metadata;

  static Result<Opened> open(const std::string& path) {
    Opened out;
    PITH_ASSIGN(out.file, load_model(path));
    out.nodes = inspect::nodes_of(*out.file.model);
    out.metadata = inspect::metadata_of(*out.file.model);
    return out;
  }
  Json object(const char* key) const {
    const auto at = metadata.find(key);
    Json out = at == metadata.end() ? Json() : Json::parse(at->second, nullptr, false);
    return out.is_object() ? out : Json();
  }
  // Scale was moved between layers before they were quantized.
  bool was_rewritten() const {
    const auto form = metadata.find(compress::kFormKey);
    if (form != metadata.end()) return form->second != "as-it-came";
    const Json int8 = object(kInt8ReportKey);
    if (!int8.is_object()) return false;
    const Json equalized = int8.value("equalization", Json());
    return equalized.is_object() && equalized.value("kept", Json()) == Json(true);
  }
};

Json tensor_json(const TensorView& t) {
  Json out{{"name", t.name}, {"dtype", name_of(t.dtype)}, {"shape", t.shape.text()}};
  if (!t.quant.per_tensor() || bits_of(t.dtype) != 8) return out;
  const auto scale = static_cast<double>(t.quant.scales[0]);
  const int zero = t.quant.zero_points.empty() ? 0 : t.quant.zero_points[0];
  const int low = t.dtype == DType::i8 ? -128 : 0;
  out["scale"] = scale;
  out["zero_point"] = zero;
  out["low"] = (low - zero) * scale;
  out["high"] = (low + 255 - zero) * scale;
  return out;
}

Json codes_json(const StoredWeights& w) {
  const inspect::CodeSpread spread = inspect::spread_of(w, kBins);
  Json out{{"zero_share", spread.zero_share}};
  if (!w.codes.empty()) {
    out["low"] = w.code_low;
    out["high"] = w.code_high;
    out["used"] = spread.used;
    out["end_share"] = spread.end_share;
    out["entropy_bits"] = spread.entropy;
  }
  out["histogram"] = Json::array();
  for (const inspect::CodeBin& bin : spread.bins)
    out["histogram"].push_back({{"low", bin.low}, {"high", bin.high}, {"count", bin.count}});
  return out;
}

Json range_json(const std::vector<float>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {{"low", static_cast<double>(*low)}, {"high", static_cast<double>(*high)}};
}

// Distance from the same input of the source's node of that name, or why there is none.
Json source_json(const Opened& model, const Opened& source, const ModelNode& node, size_t input,
                 const StoredWeights& weights) {
  const auto absent = [](const std::string& why) { return Json{{"missing", why}}; };
  const ModelNode* theirs = inspect::find_node(source.nodes, node.name);
  if (theirs == nullptr) return absent("the source has no node of this name");
  if (input >= theirs->inputs.size() || theirs->inputs[input] == nullptr)
    return absent("the source's node has no such input");
  const TensorView& t = *theirs->inputs[input];
  const Result<StoredWeights> exact = inspect::read_stored_weights(t);
  if (!exact.is_ok()) return absent(exact.status().message());
  const auto columns = static_cast<size_t>(t.shape[t.shape.rank() - 1]);
  const auto d = inspect::weight_distance(exact.value(), weights, model.was_rewritten(), columns);
  if (!d.is_ok()) return absent(d.status().message());
  Json out = tensor_error_json(d.value().error);
  out["worst_channel"] = {{"index", d.value().worst_channel},
                          {"sqnr_db", finite_json(d.value().worst_channel_db)}};
  out["fitted"] = d.value().fitted;
  if (d.value().columns_gone > 0) out["columns_gone"] = d.value().columns_gone;
  out["values"] = range_json(exact.value().values);
  return out;
}

Result<Json> weights_json(const ModelNode& node, size_t input, const Opened& model, const Opened* source) {
  const TensorView& t = *node.inputs[input];
  PITH_ASSIGN(const StoredWeights w, inspect::read_stored_weights(t));
  Json out{{"tensor", t.name},
           {"input", input},
           {"form", w.form},
           {"shape", t.shape.text()},
           {"count", w.values.size()},
           {"bytes", w.bytes},
           {"bits_per_weight", w.bits_per_weight()}};
  out["values"] = range_json(w.values);
  if (!w.scales.empty()) {
    out["scales"] = range_json(w.scales);
    out["scales"]["count"] = w.scales.size();
  }
  out["codes"] = codes_json(w);
  if (source != nullptr) out["source"] = source_json(model, *source, node, input, w);
  return out;
}

Result<Json> layer_json(const ModelNode& node, const Opened& model, const Opened* source) {
  Json out{{"name", node.name}, {"op", node.op}, {"precision", inspect::precision_of(node)}};
  for (const auto& [side, tensors] :
       {std::pair("inputs", &node.inputs), std::pair("outputs", &node.outputs)}) {
    out[side] = Json::array();
    for (const TensorView* t : *tensors)
      if (t != nullptr && !t->is_constant) out[side].push_back(tensor_json(*t));
  }
  out["weights"] = Json::array();
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == nullptr || !inspect::has_stored_weights(*node.inputs[i])) continue;
    PITH_ASSIGN(Json weights, weights_json(node, i, model, source));
    out["weights"].push_back(std::move(weights));
  }
  const Json evidence = model.object(compress::kEvidenceKey);
  out["tried"] = evidence.is_object() ? evidence.value(node.name, Json()) : Json();
  return out;
}

Json brief_json(const ModelNode& node) {
  Json out{{"name", node.name}, {"op", node.op}, {"precision", inspect::precision_of(node)}};
  uint64_t bytes = 0, count = 0;
  for (const size_t i : node.weights())
    if (const auto w = inspect::read_stored_weights(*node.inputs[i]); w.is_ok()) {
      bytes += w.value().bytes;
      count += w.value().values.size();
    }
  out["weights"] = count;
  out["bytes"] = bytes;
  out["bits_per_weight"] = count > 0 ? 8.0 * static_cast<double>(bytes) / static_cast<double>(count) : 0.0;
  return out;
}

// The node of that name, else all that the shell pattern matches.
Result<std::vector<const ModelNode*>> chosen_nodes(const Opened& model, const std::string& layer) {
  if (const ModelNode* node = inspect::find_node(model.nodes, layer)) return std::vector{node};
  std::vector<const ModelNode*> out;
  std::string known;
  size_t shown = 0;
  for (const ModelNode& node : model.nodes) {
    if (fnmatch(layer.c_str(), node.name.c_str(), 0) == 0) out.push_back(&node);
    if (!node.weights().empty() && ++shown <= kNamesShown)
      known += (known.empty() ? "'" : ", '") + node.name + "'";
  }
  if (!out.empty()) return out;
  if (shown > kNamesShown) known += format(" and %zu more", shown - kNamesShown);
  return Status(Code::bad_argument, "no layer is called '" + layer +
                                        "'; layers with weights: " + (known.empty() ? "none" : known) +
                                        "; without --layer all are listed");
}

Result<Json> explain(const Options& options) {
  PITH_ASSIGN(const Opened model, Opened::open(options.model));
  Json out{{"model", std::filesystem::path(options.model).filename().string()}};
  if (const auto form = model.metadata.find(compress::kFormKey); form != model.metadata.end())
    out["float_form"] = form->second;
  out["layers"] = Json::array();
  if (options.layer.empty()) {
    if (!options.source.empty())
      return Status(Code::bad_argument,
                    "--source has no effect without --layer; --layer '*' shows every layer");
    for (const ModelNode& node : model.nodes)
      if (!node.weights().empty()) out["layers"].push_back(brief_json(node));
    return out;
  }
  Opened source;
  if (!options.source.empty()) {
    PITH_ASSIGN(source, Opened::open(options.source));
    out["source"] = std::filesystem::path(options.source).filename().string();
  }
  PITH_ASSIGN(const std::vector<const ModelNode*> nodes, chosen_nodes(model, options.layer));
  for (const ModelNode* node : nodes) {
    PITH_ASSIGN(Json layer, layer_json(*node, model, options.source.empty() ? nullptr : &source));
    out["layers"].push_back(std::move(layer));
  }
  return out;
}

int run(const Options& options) {
  const Result<Json> result = explain(options);
  if (!result.is_ok()) return report("explain", result.status());
  if (options.json)
    print_json(result.value());
  else
    std::fputs(explain_text(result.value()).c_str(), stdout);
  return kExitOk;
}

}  // namespace

void add_explain(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<Options>();
  CommandLine line(app, "explain", "Show one layer: its ranges, its codes, what was tried for it");
  line.argument("MODEL", &options->model, "Model (.pith, or .onnx converted in memory)");
  line.text("--layer", &options->layer, "NAME", "A layer's name, or a shell pattern; all are listed without");
  line.text("--source", &options->source, "MODEL",
            "What it was made from (.onnx or .pith): adds the error of the weights");
  line.flag("--json", &options->json, "Print one JSON object");
  line.examples(
      "What was tried for a layer is known of models that `pith compress` made.\n\n"
      "Examples:\n"
      "  pith explain small.pith\n"
      "  pith explain small.pith --layer conv1 --source model.onnx\n"
      "  pith explain small.pith --layer 'block2/*' --json");
  line.run([options, exit_code] { *exit_code = run(*options); });
}

}  // namespace pith::cli
