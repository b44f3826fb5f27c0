// pith diff: in what two model files differ: operators, precision, sizes, weights, metadata.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/diff_text.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/tensor_error.h"
#include "converter/compile/load_model.h"
#include "converter/compress/certificate.h"
#include "converter/inspect/model_diff.h"
#include "runtime/ops/panel_weights.h"

namespace pith::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string a, b;
  bool json = false;
};

struct Side {
  LoadedModel file;
  std::vector<inspect::ModelNode> nodes;
  std::map<std::string, std::string> metadata;

  static Result<Side> open(const std::string& path) {
    Side out;
    PITH_ASSIGN(out.file, load_model(path));
    out.nodes = inspect::nodes_of(*out.file.model);
    out.metadata = inspect::metadata_of(*out.file.model);
    return out;
  }
  std::string form() const {
    const auto at = metadata.find(compress::kFormKey);
    return at == metadata.end() ? "as-it-came" : at->second;
  }
};

// Weights are the constants of rank 1 and more, as in `pith inspect`.
Json side_json(const std::string& path, const Side& side) {
  uint64_t bytes = 0, count = 0;
  for (const TensorView& t : side.file.model->tensors())
    if (t.is_constant && t.shape.rank() >= 1) {
      bytes += stored_bytes(t);
      count += static_cast<uint64_t>(t.count());
    }
  return {
      {"file", std::filesystem::path(path).filename().string()},
      {"bytes", side.file.model->bytes().size()},
      {"constant_bytes", bytes},
      {"parameters", count},
      {"bits_per_weight", count > 0 ? 8.0 * static_cast<double>(bytes) / static_cast<double>(count) : 0.0},
      {"operators", side.nodes.size()}};
}

Json weights_json(const inspect::WeightsDiff& w) {
  const auto bits = [&](int side) {
    return 8.0 * static_cast<double>(w.bytes[side]) / static_cast<double>(w.count);
  };
  Json out{{"input", w.input},
           {"form", {w.form[0], w.form[1]}},
           {"bytes", {w.bytes[0], w.bytes[1]}},
           {"bits_per_weight", {bits(0), bits(1)}},
           {"same", w.same}};
  if (w.distance) {
    const Json error = tensor_error_json(w.distance->error);
    for (const auto& [key, value] : error.items()) out[key] = value;
    out["worst_channel"] = {{"index", w.distance->worst_channel},
                            {"sqnr_db", finite_json(w.distance->worst_channel_db)}};
    out["fitted"] = w.distance->fitted;
  }
  if (!w.missing.empty()) out["missing"] = w.missing;
  return out;
}

Json node_json(const inspect::NodeDiff& n) {
  Json out{{"name", n.name},
           {"op", n.op[0] == n.op[1] ? Json(n.op[0]) : Json{n.op[0], n.op[1]}},
           {"precision", {n.precision[0], n.precision[1]}},
           {"changes", n.changes},
           {"weights", Json::array()}};
  for (const inspect::WeightsDiff& w : n.weights) out["weights"].push_back(weights_json(w));
  return out;
}

Json nodes_json(const std::vector<const inspect::ModelNode*>& nodes) {
  Json out = Json::array();
  for (const inspect::ModelNode* n : nodes) out.push_back({{"name", n->name}, {"op", n->op}});
  return out;
}

std::string value_of(const std::map<std::string, std::string>& in, const std::string& key) {
  const auto at = in.find(key);
  return at == in.end() ? "" : at->second;
}

// [{key, a, b}] of keys that differ; null: absent. The certificate field by field.
Json metadata_json(const Side& a, const Side& b) {
  Json out = Json::array();
  std::set<std::string> keys;
  for (const Side* side : {&a, &b})
    for (const auto& [key, value] : side->metadata) keys.insert(key);
  for (const std::string& key : keys) {
    const bool in_a = a.metadata.count(key) != 0, in_b = b.metadata.count(key) != 0;
    const std::string x = value_of(a.metadata, key), y = value_of(b.metadata, key);
    if (in_a && in_b && x == y) continue;
    const Json p = Json::parse(x, nullptr, false), q = Json::parse(y, nullptr, false);
    if (key != compress::kCertificateKey || !p.is_object() || !q.is_object()) {
      out.push_back({{"key", key}, {"a", in_a ? Json(x) : Json()}, {"b", in_b ? Json(y) : Json()}});
      continue;
    }
    std::set<std::string> fields;
    for (const Json* side : {&p, &q})
      for (const auto& [field, value] : side->items()) fields.insert(field);
    for (const std::string& field : fields)
      if (p.value(field, Json()) != q.value(field, Json()))
        out.push_back(
            {{"key", key + "." + field}, {"a", p.value(field, Json())}, {"b", q.value(field, Json())}});
  }
  return out;
}

Result<Json> diff(const Options& options) {
  PITH_ASSIGN(const Side a, Side::open(options.a));
  PITH_ASSIGN(const Side b, Side::open(options.b));
  PITH_ASSIGN(const inspect::ModelDiff d,
              inspect::diff_models(*a.file.model, a.nodes, *b.file.model, b.nodes, a.form() != b.form()));
  const Json metadata = metadata_json(a, b);
  Json out{{"equal", d.same() && metadata.empty()}, {"same_program_and_weights", d.same()},
           {"a", side_json(options.a, a)},          {"b", side_json(options.b, b)},
           {"same_interface", d.same_interface},    {"same_order", d.same_order},
           {"removed", nodes_json(d.only[0])},      {"added", nodes_json(d.only[1])}};
  out["layers"] = out["changed"] = Json::array();
  size_t unchanged = 0;
  for (const inspect::NodeDiff& n : d.common) {
    unchanged += n.same();
    if (!n.weights.empty())
      out["layers"].push_back(node_json(n));
    else if (!n.same())
      out["changed"].push_back(node_json(n));
  }
  out["unchanged"] = unchanged;
  out["metadata"] = metadata;
  return out;
}

int run(const Options& options) {
  const Result<Json> result = diff(options);
  if (!result.is_ok()) return report("diff", result.status());
  if (options.json)
    print_json(result.value());
  else
    std::fputs(diff_text(result.value()).c_str(), stdout);
  return result.value()["equal"].get<bool>() ? kExitOk : kExitDiffers;
}

}  // namespace

void add_diff(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<Options>();
  CommandLine line(app, "diff", "Show in what two models differ; exit code 0 when in nothing, 8 otherwise");
  line.argument("A", &options->a, "Model (.pith, or .onnx converted in memory)");
  line.argument("B", &options->b, "The other model");
  line.flag("--json", &options->json, "Print one JSON object");
  line.examples(
      "Operators are paired by name. SQNR in dB of the weights of A against those of B: 6 dB is one bit.\n"
      "Exit codes: 0 nothing differs, 8 something does, metadata included.\n\n"
      "Examples:\n"
      "  pith diff int8.pith mixed.pith\n"
      "  pith diff model.onnx small.pith --json");
  line.run([options, exit_code] { *exit_code = run(*options); });
}

}  // namespace pith::cli
