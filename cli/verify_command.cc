// pith verify: makes a sample of a file's packed weights again from the source, and compares.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "converter/compile/verify_model.h"

namespace pith::cli {
namespace {

struct Options {
  VerifyOptions verify;
  size_t seed = 1;
  bool json = false;
};

void print_report(const Options& options, const VerifyReport& r) {
  if (options.json) {
    nlohmann::ordered_json out{{"model", options.verify.model}, {"source", options.verify.source},
                               {"packed_tensors", r.packed},    {"compared", r.tensors.size()},
                               {"different", r.different},      {"tensors", nlohmann::ordered_json::array()}};
    for (const VerifiedTensor& t : r.tensors) {
      out["tensors"].push_back({{"name", t.name}, {"bytes", t.bytes}, {"equal", t.difference.empty()}});
      if (!t.difference.empty()) out["tensors"].back()["difference"] = t.difference;
    }
    return print_json(out);
  }
  for (const VerifiedTensor& t : r.tensors)
    std::printf("%s  %s, %s%s%s\n", t.difference.empty() ? "equal    " : "DIFFERENT", t.name.c_str(),
                bytes_text(t.bytes).c_str(), t.difference.empty() ? "" : ": ", t.difference.c_str());
  std::printf("%zu of %zu packed tensors made again from '%s': %zu different\n", r.tensors.size(), r.packed,
              options.verify.source.c_str(), r.different);
}

int run(Options& options) {
  Progress progress("verifying");
  options.verify.seed = options.seed;
  options.verify.progress = [&](int64_t done, int64_t total) {
    progress.update(static_cast<size_t>(done), static_cast<size_t>(total));
  };
  VerifyReport result;
  const Status status = verify_model(options.verify, &result);
  progress.finish();
  if (!status.is_ok()) return report("verify", status);
  print_report(options, result);
  return result.different == 0 ? kExitOk : kExitAccuracy;
}

}  // namespace

void add_verify(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<Options>();
  VerifyOptions& verify = options->verify;
  CommandLine line(app, "verify", "Make a sample of a file's weights again from the source, and compare");
  line.argument("MODEL", &verify.model, "Model that pith convert wrote (.pith)");
  line.required("--source", &verify.source, "FILE", "Model it was made from (.onnx)");
  line.text("--calibrate", &verify.calibration, "DATA", "The data it was calibrated with, if it was");
  line.count("--sample", &verify.sample, 1, size_t{1} << 40,
             "Compare this many tensors (more than there are: all)");
  line.count("--seed", &options->seed, 0, size_t{1} << 40, "Choose others");
  line.count("--threads", &verify.threads, 1, 1024, "Threads");
  line.flag("--json", &options->json, "Print one JSON object");
  line.examples(
      "Exit codes: 0 all equal, 4 a tensor differs (its name is printed).\n\n"
      "Examples:\n"
      "  pith verify model.pith --source model.onnx\n"
      "  pith verify model.pith --source model.onnx --sample 64 --seed 7 --json\n"
      "  pith verify gptq.pith --source model.onnx --calibrate data/train");
  line.run([options, exit_code] { *exit_code = run(*options); });
}

}  // namespace pith::cli
