// pith tune: measures who runs each node of a model quickest on this machine, and keeps the answer for later sessions.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/tune_measure.h"
#include "converter/compile/convert.h"
#include "converter/compress/layer_times.h"
#include "converter/data/atomic_file.h"
#include "converter/inspect/model_nodes.h"

namespace pith::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string model, out, layer_times;
  std::vector<std::string> shapes, inputs;
  size_t threads = 1;
  double seconds = 5;
  bool json = false;
};

// Median milliseconds of the model as usual and tuned, in turns.
Status time_both(const LoadedModel& model, SessionOptions options, const Tuning& tuning,
                 const std::vector<data::HostTensor>& inputs, double seconds, double (&ms)[2]) {
  options.tuning.clear();
  options.pool = ThreadPool::create(options.threads);
  std::unique_ptr<Session> sessions[2];
  std::vector<uint64_t> ns[2];
  for (int i = 0; i < 2; ++i) {
    if (i == 1) options.measured = std::make_shared<const Tuning>(tuning);
    PITH_ASSIGN(sessions[i], Session::create(model.model, options));
    PITH_RETURN_IF_ERROR(feed(*sessions[i], inputs));
    PITH_RETURN_IF_ERROR(run_afresh(*sessions[i]));
  }
  const uint64_t start = monotonic_ns();
  while (ns[0].size() < 5 || static_cast<double>(monotonic_ns() - start) < seconds * 1e9)
    for (int i = 0; i < 2; ++i) {
      const uint64_t begin = monotonic_ns();
      PITH_RETURN_IF_ERROR(run_afresh(*sessions[i]));
      ns[i].push_back(monotonic_ns() - begin);
    }
  for (int i = 0; i < 2; ++i) {
    std::sort(ns[i].begin(), ns[i].end());
    ms[i] = static_cast<double>(ns[i][ns[i].size() / 2]) / 1e6;
  }
  return Status::ok();
}

Json changes(const TunedModel& tuned, const Session& session) {
  Json out = Json::array();
  for (size_t i = 0; i < tuned.tuning.nodes.size(); ++i) {
    const auto& t = tuned.tuning.nodes[i];
    if (t.empty() || t[0].backend == tuned.usual[i]) continue;
    const auto usual =
        std::find_if(t.begin(), t.end(), [&](const NodeTiming& n) { return n.backend == tuned.usual[i]; });
    if (usual == t.end()) continue;
    const OpDef* def = find_op(session.node(i).op);
    out.push_back({{"name", session.node(i).name},
                   {"op", def == nullptr ? "?" : def->name},
                   {"from", name_of(usual->backend)},
                   {"to", name_of(t[0].backend)},
                   {"from_us", static_cast<double>(usual->ns) / 1e3},
                   {"to_us", static_cast<double>(t[0].ns) / 1e3}});
  }
  return out;
}

void print_report(const Json& j) {
  for (const Json& c : j["changed"])
    std::printf("  %-18s %9.1f us %-9s -> %9.1f us %-9s  %s\n", c["op"].get<std::string>().c_str(),
                c["from_us"].get<double>(), c["from"].get<std::string>().c_str(), c["to_us"].get<double>(),
                c["to"].get<std::string>().c_str(), c["name"].get<std::string>().c_str());
  std::printf(
      "%zu of %zu measured nodes move to another backend; the model: %.4f ms as usual, %.4f ms tuned\n",
      j["changed"].size(), j["measured_nodes"].get<size_t>(), j["usual_ms"].get<double>(),
      j["tuned_ms"].get<double>());
  std::printf("written to %s\n%s\n", j["file"].get<std::string>().c_str(),
              j["use"].get<std::string>().c_str());
}

Status write_tuning(const Tuning& tuning, const std::string& path) {
  std::error_code failed;
  if (const auto folder = std::filesystem::path(path).parent_path(); !folder.empty())
    std::filesystem::create_directories(folder, failed);  // if it fails, so does the file, with its name
  const std::string text = tuning.text();
  return data::write_file_atomically(path, text.data(), text.size());
}

// Of every node with weights, what its quickest backend takes.
Status write_layer_times(const Model& model, const TunedModel& tuned, double ms, const std::string& path) {
  compress::MeasuredModel out{tuned.tuning.key.cpu, tuned.tuning.key.threads, ms, {}};
  const std::vector<inspect::ModelNode> nodes = inspect::nodes_of(model);
  for (size_t i = 0; i < nodes.size() && i < tuned.ns.size(); ++i) {
    if (tuned.ns[i] == 0 || nodes[i].weights().empty()) continue;
    const Result<compress::LayerFormat> format =
        compress::parse_layer_format(compress::option_spelling(inspect::precision_of(nodes[i])));
    if (!format.is_ok()) continue;  // a table of numbers, not a layer
    out.layers.push_back({nodes[i].name, format.value(), static_cast<double>(tuned.ns[i]) / 1e6});
  }
  if (out.layers.empty())
    return Status(Code::unsupported, "--layer-times: the model has no layers with weights");
  const std::string text = compress::layer_times_json(out);
  return data::write_file_atomically(path, text.data(), text.size());
}

Status tune(const Options& options) {
  PITH_ASSIGN(const SessionOptions session_opts, session_options(options.threads));
  if (session_opts.backend != BackendChoice::automatic)
    return Status(Code::bad_argument, "PITH_BACKEND names a backend: there is nothing to choose; unset it");
  PITH_ASSIGN(const LoadedModel model, load_model(options.model));
  PITH_ASSIGN(const std::unique_ptr<Session> session, Session::create(model.model, session_opts));
  std::map<std::string, Shape> shapes;
  for (const std::string& s : options.shapes) PITH_RETURN_IF_ERROR(parse_shape_option(s, &shapes));
  PITH_ASSIGN(const std::vector<data::HostTensor> inputs, options.inputs.empty()
                                                              ? noise_inputs(*session, shapes)
                                                              : read_inputs(*session, options.inputs));
  const std::string path = options.out.empty() ? tuning_path(session->tune_key()) : options.out;
  if (path.empty())
    return Status(Code::bad_argument, "neither XDG_CACHE_HOME nor HOME names a folder: give --out FILE");
  TunePlan plan;
  plan.seconds = options.seconds * 0.8;
  TunedModel tuned;
  {
    Progress progress("tune");
    plan.progress = [&](double share) { progress.update(static_cast<size_t>(share * 1000), 1000); };
    PITH_ASSIGN(tuned, measure_backends(model, session_opts, inputs, plan));
  }
  double ms[2] = {0, 0};
  PITH_RETURN_IF_ERROR(time_both(model, session_opts, tuned.tuning, inputs, options.seconds * 0.2, ms));
  PITH_RETURN_IF_ERROR(write_tuning(tuned.tuning, path));
  if (!options.layer_times.empty())
    PITH_RETURN_IF_ERROR(write_layer_times(*model.model, tuned, ms[1], options.layer_times));
  const auto measured = std::count_if(tuned.tuning.nodes.begin(), tuned.tuning.nodes.end(),
                                      [](const auto& t) { return !t.empty(); });
  const Json report{
      {"file", path},
      {"use", "sessions use it with PITH_TUNE=" + (options.out.empty() ? std::string("auto") : path)},
      {"threads", options.threads},
      {"runs", tuned.runs},
      {"measured_nodes", static_cast<size_t>(measured)},
      {"changed", changes(tuned, *session)},
      {"usual_ms", ms[0]},
      {"tuned_ms", ms[1]}};
  if (options.json)
    print_json(report);
  else
    print_report(report);
  return Status::ok();
}

}  // namespace

void add_tune(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<Options>();
  CommandLine line(app, "tune", "Measure which kernels are quickest on this machine");
  line.argument("MODEL", &options->model, "Model (.pith, or .onnx converted in memory)");
  line.text("--out", &options->out, "FILE", "Where to write; otherwise in the cache folder");
  line.text("--layer-times", &options->layer_times, "FILE",
            "Also write what each layer takes, for `pith compress --layer-times`");
  line.count("--threads", &options->threads, 1, 1024, "Threads of the sessions that will use it");
  line.real("--seconds", &options->seconds, 0.0, 86400.0, "Time to measure");
  line.texts("--shape", &options->shapes, "NAME=1,3,224,224",
             "Shape of an input; free dimensions are 1 otherwise");
  line.texts("--input", &options->inputs, "NAME=x.npy", "Input from a file; all are seeded noise otherwise");
  line.flag("--json", &options->json, "Print one JSON object");
  line.examples(
      "The file holds for this model, processor, number of threads and version of pith; others ignore it.\n\n"
      "Examples:\n"
      "  pith tune model.pith\n"
      "  PITH_TUNE=auto pith bench model.pith\n"
      "  pith tune model.pith --threads 2 --out model.tune      then PITH_TUNE=model.tune\n"
      "  pith tune model-int8.pith --layer-times int8.json          for `pith compress` on another machine");
  line.run([options, exit_code] {
    if (Status s = tune(*options); !s.is_ok()) *exit_code = report("tune", s);
  });
}

}  // namespace pith::cli
