// pith inspect: what is in a .pith file, which kernels would run it, and how much memory it needs.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/certificate_text.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/graph_page.h"
#include "cli/kernel_report.h"
#include "cli/live_memory.h"
#include "cli/model_setup.h"
#include "cli/output.h"
#include "converter/compile/convert.h"
#include "converter/compile/int8_summary.h"
#include "converter/compress/certificate.h"
#include "converter/compress/evidence.h"
#include "converter/data/atomic_file.h"
#include "runtime/ops/panel_weights.h"

namespace pith::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string model, html;
  std::vector<std::string> shapes;
  size_t threads = 1;
  bool kernels = false, memory = false, ops = false, json = false;
};

std::string text_of(const flatbuffers::String* s) { return s == nullptr ? "" : s->str(); }

Json tensor_json(const TensorView& t) {
  Json out{{"name", t.name}, {"dtype", name_of(t.dtype)}, {"shape", t.shape.text()}};
  if (!t.quant.empty())
    out["quantization"] = t.quant.per_tensor()
                              ? format("scale %.6g, zero point %d", static_cast<double>(t.quant.scales[0]),
                                       t.quant.zero_points.empty() ? 0 : t.quant.zero_points[0])
                              : format("%zu scales along axis %d", t.quant.scales.size(), t.quant.axis);
  return out;
}

// The type the arithmetic of a node works on: that of its first input.
const char* precision_of(const NodeView& node) {
  if (node.has(0)) return name_of(node.in(0).dtype);
  return node.has_out(0) ? name_of(node.out(0).dtype) : "none";
}

// Nodes as the file declares them, kernels left open.
Json file_nodes(const Model& model) {
  Json nodes = Json::array();
  for (const schema::Block* block : *model.program().blocks())
    if (block->operators() != nullptr)
      for (const schema::Operator* op : *block->operators()) {
        const OpDef* def = find_op(op->options_type());
        Json node{{"name", text_of(op->name())}, {"op", def == nullptr ? "If" : def->name}};
        const bool reads = op->inputs() != nullptr && op->inputs()->size() > 0 && op->inputs()->Get(0) >= 0;
        const int32_t typed = reads                       ? op->inputs()->Get(0)
                              : op->outputs()->size() > 0 ? op->outputs()->Get(0)
                                                          : -1;
        node["precision"] = typed < 0 ? "none" : name_of(model.tensors()[static_cast<size_t>(typed)].dtype);
        node["kernel"] = nullptr;
        nodes.push_back(std::move(node));
      }
  return nodes;
}

// Nodes in the order they run, with the kernel of each and why other backends passed.
Json planned_nodes(const Session& session) {
  Json nodes = Json::array();
  for (size_t stage = 0; stage < session.stage_count(); ++stage)
    for (const Session::Step& step : session.steps(stage)) {
      const NodeView& node = session.node(step.op);
      const OpDef* def = find_op(node.op);
      Json row{{"name", node.name},
               {"op", def == nullptr ? "If" : def->name},
               {"precision", precision_of(node)},
               {"kernel", std::string(step.kernel.backend) + ":" + step.kernel.name}};
      if (node.has_out(0)) row["output"] = node.out(0).shape.text();
      describe_choice(session, step, &row);
      nodes.push_back(std::move(row));
    }
  return nodes;
}

// Metadata that are JSON themselves, and their place in ours.
constexpr std::pair<const char*, const char*> kStoredObjects[] = {
    {kInt8ReportKey, "int8"},
    {compress::kCertificateKey, "certificate"},
    {compress::kPlanKey, "precision_plan"},
    {compress::kEvidenceKey, "evidence"},
};

void describe_program(const Model& model, Json* out) {
  const schema::Program& program = model.program();
  Json& head = (*out)["program"];
  head["producer"] = text_of(program.producer());
  head["metadata"] = Json::object();
  if (program.metadata() != nullptr)
    for (const schema::KeyValue* pair : *program.metadata())
      head["metadata"][text_of(pair->key())] = text_of(pair->value());
  for (const auto& [key, name] : kStoredObjects)
    if (head["metadata"].contains(key)) {
      Json object = Json::parse(head["metadata"][key].get<std::string>(), nullptr, false);
      if (!object.is_discarded()) head[name] = std::move(object);
      head["metadata"].erase(key);
    }
  for (const schema::EntryPoint* entry : *program.entry_points()) {
    Json e{{"name", text_of(entry->name())}, {"inputs", Json::array()}, {"outputs", Json::array()}};
    if (entry->inputs() != nullptr)
      for (int32_t t : *entry->inputs())
        e["inputs"].push_back(tensor_json(model.tensors()[static_cast<size_t>(t)]));
    for (int32_t t : *entry->outputs())
      e["outputs"].push_back(tensor_json(model.tensors()[static_cast<size_t>(t)]));
    head["entry_points"].push_back(std::move(e));
  }
}

// Weights are the constants of rank 1 and more; their bits include padding of 4-bit rows but not of segments.
void count_weights(const Model& model, Json* out) {
  uint64_t bytes = 0, elements = 0;
  size_t constants = 0;
  for (const TensorView& t : model.tensors())
    if (t.is_constant && t.shape.rank() >= 1) {
      ++constants;
      bytes += stored_bytes(t);
      elements += static_cast<uint64_t>(t.count());
    }
  (*out)["tensors"] = {{"total", model.tensors().size()},
                       {"constants", constants},
                       {"parameters", elements},
                       {"constant_bytes", bytes}};
  (*out)["bytes"] = model.bytes().size();
  (*out)["bits_per_weight"] =
      elements == 0 ? 0.0 : 8.0 * static_cast<double>(bytes) / static_cast<double>(elements);
}

Result<std::unique_ptr<Session>> plan(const Options& options, const LoadedModel& loaded) {
  PITH_ASSIGN(const SessionOptions session_opts, session_options(options.threads));
  std::map<std::string, Shape> shapes;
  for (const std::string& s : options.shapes) PITH_RETURN_IF_ERROR(parse_shape_option(s, &shapes));
  PITH_ASSIGN(std::unique_ptr<Session> session, Session::create(loaded.model, session_opts));
  session->explain_kernels();
  PITH_ASSIGN(const std::vector<data::HostTensor> inputs, noise_inputs(*session, shapes));
  PITH_RETURN_IF_ERROR(feed(*session, inputs));
  // A run completes plans that depend on values; zeros and noise serve as input.
  PITH_RETURN_IF_ERROR(session->run());
  return session;
}

Json memory_json(const Session& session) {
  const MemoryUse use = session.memory();
  Json out{{"arena_bytes", use.arena_bytes},
           {"scratch_bytes", use.scratch_bytes},
           {"plan_value_bytes", use.plan_value_bytes}};
  for (const LiveStep& step : live_memory(session))
    out["steps"].push_back({{"name", step.name},
                            {"op", step.op},
                            {"live_bytes", step.live_bytes},
                            {"scratch_bytes", step.scratch_bytes}});
  return out;
}

// A number of a report that another build may have written.
double number(const Json& object, const char* key) {
  const auto at = object.is_object() ? object.find(key) : object.end();
  return at != object.end() && at->is_number() ? at->get<double>() : NAN;
}

void print_int8(const Json& int8) {
  const Json calibration = int8.is_object() ? int8.value("calibration", Json()) : Json();
  std::printf("int8: outputs %.2f dB on %.0f judging items, calibrated on %.0f items",
              number(int8, "output_sqnr_db"), number(int8, "judging_items"), number(calibration, "items"));
  for (const char* key : {"equalization", "bias_correction"}) {
    const Json step = int8.is_object() ? int8.value(key, Json()) : Json();
    if (!step.is_object() || step.value("tried", Json()) != Json(true)) continue;
    std::printf(", %s %s (%.2f -> %.2f dB)", key,
                step.value("kept", Json()) == Json(true) ? "kept" : "not kept",
                number(step, "sqnr_before_db"), number(step, "sqnr_after_db"));
  }
  std::printf("\n");
}

void print_head(const Json& j) {
  const Json& program = j["program"];
  std::printf("%s", program["producer"].get<std::string>().c_str());
  for (const auto& [key, value] : program["metadata"].items())
    if (key != kCalibrationHashesKey) std::printf(", %s %s", key.c_str(), value.get<std::string>().c_str());
  std::printf("\n%s, %llu parameters, %.2f bits per weight, %zu operators\n", bytes_text(j["bytes"]).c_str(),
              j["tensors"]["parameters"].get<unsigned long long>(), j["bits_per_weight"].get<double>(),
              j["nodes"].size());
  if (program.contains("int8")) print_int8(program["int8"]);
  std::printf("%s", certificate_text(program).c_str());
  for (const Json& entry : program["entry_points"])
    for (const char* side : {"inputs", "outputs"})
      for (const Json& t : entry[side])
        std::printf("%s %s: %s %s %s\n", entry["name"].get<std::string>().c_str(),
                    *side == 'i' ? "input " : "output", t["name"].get<std::string>().c_str(),
                    t["dtype"].get<std::string>().c_str(), t["shape"].get<std::string>().c_str());
}

void print_counts(const Json& nodes) {
  std::map<std::string, size_t> counts;
  for (const Json& node : nodes)
    ++counts[node["op"].get<std::string>() + " " + node["precision"].get<std::string>()];
  for (const auto& [op, n] : counts) std::printf("  %5zu  %s\n", n, op.c_str());
}

void print_memory(const Json& memory) {
  std::printf("activations %s (scratch %s), values of planning %s; live bytes by step:\n",
              bytes_text(memory["arena_bytes"]).c_str(), bytes_text(memory["scratch_bytes"]).c_str(),
              bytes_text(memory["plan_value_bytes"]).c_str());
  if (!memory.contains("steps")) return;
  uint64_t most = 1;
  for (const Json& step : memory["steps"]) most = std::max(most, step["live_bytes"].get<uint64_t>());
  constexpr uint64_t kWidth = 40;
  for (const Json& step : memory["steps"]) {
    const auto live = step["live_bytes"].get<uint64_t>();
    const auto filled = static_cast<size_t>((live * kWidth + most - 1) / most);
    std::printf("  %s%s %9s  %s %s\n", std::string(filled, '#').c_str(),
                std::string(kWidth - filled, '.').c_str(), bytes_text(live).c_str(),
                step["op"].get<std::string>().c_str(), step["name"].get<std::string>().c_str());
  }
}

// Operators of all blocks by their schema name, each once, sorted: what PITH_OPS_FILE of a selective build takes.
std::set<std::string> operator_names(const Model& model) {
  std::set<std::string> names;
  for (const schema::Block* block : *model.program().blocks())
    if (block->operators() != nullptr)
      for (const schema::Operator* op : *block->operators()) {
        std::string name = schema::EnumNameOp(op->options_type());
        names.insert(name.substr(0, name.rfind("Options")));
      }
  return names;
}

Status inspect(const Options& options) {
  PITH_ASSIGN(const LoadedModel loaded, load_model(options.model));
  Json out;
  describe_program(*loaded.model, &out);
  count_weights(*loaded.model, &out);
  if (options.ops) out["ops"] = operator_names(*loaded.model);
  if (options.kernels || options.memory || !options.html.empty()) {
    PITH_ASSIGN(const std::unique_ptr<Session> session, plan(options, loaded));
    out["nodes"] = planned_nodes(*session);
    out["conversions"] = conversions(*session);
    if (!session->tuning_note().empty()) out["tuning"] = session->tuning_note();
    if (options.memory || !options.html.empty()) out["memory"] = memory_json(*session);
    if (!options.html.empty()) {
      const std::string title = std::filesystem::path(options.model).filename().string();
      const std::string page = graph_page(title, out, *session);
      PITH_RETURN_IF_ERROR(data::write_file_atomically(options.html, page.data(), page.size()));
    }
  } else {
    out["nodes"] = file_nodes(*loaded.model);
  }
  if (options.json) {
    print_json(out);
    return Status::ok();
  }
  if (options.ops) {
    std::printf("# operators of %s, for -DPITH_OPS_FILE\n",
                std::filesystem::path(options.model).filename().string().c_str());
    for (const Json& name : out["ops"]) std::printf("%s\n", name.get<std::string>().c_str());
    return Status::ok();
  }
  print_head(out);
  print_counts(out["nodes"]);
  if (options.kernels) print_kernels(out);
  if (options.memory) print_memory(out["memory"]);
  return Status::ok();
}

}  // namespace

void add_inspect(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<Options>();
  CommandLine line(app, "inspect", "Show what is in a model, its kernels and its memory");
  line.argument("MODEL", &options->model, "Model (.pith, or .onnx converted in memory)");
  line.flag("--kernels", &options->kernels, "The kernel of every step, why that one, and who else takes it");
  line.flag("--memory", &options->memory, "Live activation bytes at every step as bars");
  line.text("--html", &options->html, "graph.html", "Write graph, memory plan and kernels as one web page");
  line.flag("--ops", &options->ops, "Only the names of its operators, for a selective build");
  line.texts("--shape", &options->shapes, "NAME=1,3,224,224",
             "Shape of an input; free dimensions are 1 otherwise");
  line.count("--threads", &options->threads, 1, 1024, "Threads to plan for");
  line.flag("--json", &options->json, "Print one JSON object");
  line.examples(
      "--kernels, --memory and --html plan the model and run it once on made-up input.\n\n"
      "Examples:\n"
      "  pith inspect model.pith\n"
      "  pith inspect model.pith --kernels --memory\n"
      "  pith inspect model.pith --html graph.html\n"
      "  pith inspect model.pith --ops > ops.txt        then cmake -DPITH_OPS_FILE=ops.txt ...");
  line.run([options, exit_code] {
    if (Status s = inspect(*options); !s.is_ok()) *exit_code = report("inspect", s);
  });
}

}  // namespace pith::cli
