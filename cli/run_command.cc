// pith run: one inference from .npy files to .npy files.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/model_setup.h"
#include "cli/output.h"
#include "converter/data/npy.h"

namespace pith::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string model, output_folder;
  std::vector<std::string> inputs;
  size_t threads = 1;
  bool json = false;
};

// The output's name as a file name: '/' and what shells or Windows dislike become '_'.
std::string file_name(const std::string& name, std::set<std::string>* used) {
  std::string safe;
  for (char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '_';
    safe += plain ? c : '_';
  }
  if (safe.empty() || safe[0] == '.') safe.insert(0, "output_");
  if (safe.size() > 200) safe.resize(200);
  std::string unique = safe;
  for (int i = 1; !used->insert(unique).second; ++i) unique = safe + "_" + std::to_string(i);
  return unique + ".npy";
}

Status write_outputs(const Session& session, const std::string& folder, nlohmann::ordered_json* list) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Status(Code::io, "cannot make the folder '" + folder + "': " + error.message());
  std::set<std::string> used;
  for (size_t i = 0; i < session.output_count(); ++i) {
    const TensorView& t = session.output(i);
    const std::string path = (fs::path(folder) / file_name(t.name, &used)).string();
    PITH_RETURN_IF_ERROR(data::write_npy(path, t.dtype, t.shape.dims(), t.data));
    (*list)[i]["file"] = path;
  }
  return Status::ok();
}

Status run_model(const Options& options, nlohmann::ordered_json* result) {
  PITH_ASSIGN(const SessionOptions session_opts, session_options(options.threads));
  PITH_ASSIGN(const LoadedModel loaded, load_model(options.model));
  PITH_ASSIGN(const std::unique_ptr<Session> session, Session::create(loaded.model, session_opts));
  PITH_ASSIGN(const std::vector<data::HostTensor> inputs, read_inputs(*session, options.inputs));
  PITH_RETURN_IF_ERROR(feed(*session, inputs));
  const uint64_t begin = monotonic_ns();
  PITH_RETURN_IF_ERROR(session->run());
  (*result)["ms"] = static_cast<double>(monotonic_ns() - begin) / 1e6;
  nlohmann::ordered_json& list = (*result)["outputs"] = nlohmann::ordered_json::array();
  for (size_t i = 0; i < session->output_count(); ++i) {
    const TensorView& t = session->output(i);
    list.push_back({{"name", t.name}, {"dtype", name_of(t.dtype)}, {"shape", t.shape.dims()}});
  }
  return options.output_folder.empty() ? Status::ok() : write_outputs(*session, options.output_folder, &list);
}

int run(const Options& options) {
  nlohmann::ordered_json result;
  if (Status s = run_model(options, &result); !s.is_ok()) return report("run", s);
  if (options.json) {
    print_json(result);
    return kExitOk;
  }
  for (const auto& out : result["outputs"])
    std::printf("%s %s %s%s%s\n", out["name"].get<std::string>().c_str(),
                out["dtype"].get<std::string>().c_str(), out["shape"].dump().c_str(),
                out.contains("file") ? " -> " : "", out.value("file", std::string()).c_str());
  std::printf("%.3f ms\n", result["ms"].get<double>());
  return kExitOk;
}

}  // namespace

void add_run(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<Options>();
  CommandLine line(app, "run", "Run a model once on .npy files");
  line.argument("MODEL", &options->model, "Model (.pith, or .onnx converted in memory)");
  line.texts("--input", &options->inputs, "NAME=x.npy",
             "Input (repeatable; NAME= may be left out if there is one)");
  line.text("--output-dir", &options->output_folder, "DIR", "Write each output as NAME.npy");
  line.count("--threads", &options->threads, 1, 1024, "Threads");
  line.flag("--json", &options->json, "Print one JSON object");
  line.examples(
      "Examples:\n"
      "  pith run model.pith --input image=x.npy --output-dir out\n"
      "  pith run model.pith --input ids=ids.npy --input mask=mask.npy --threads 2 --json");
  line.run([options, exit_code] { *exit_code = run(*options); });
}

}  // namespace pith::cli
