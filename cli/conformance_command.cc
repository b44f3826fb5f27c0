// pith conformance DIR: judges this build by a folder of models with reference results.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "converter/eval/conformance.h"

namespace pith::cli {
namespace {

struct Options {
  std::string folder;
  ConformanceOptions run;
  bool json = false, no_passes = false, quiet = false;
};

using Tests = std::vector<ConformanceTest>;

size_t count(const Tests& tests, Verdict verdict) {
  size_t n = 0;
  for (const ConformanceTest& t : tests) n += t.verdict == verdict ? 1 : 0;
  return n;
}

void print_result(const Tests& tests) {
  nlohmann::ordered_json out;
  for (Verdict v : {Verdict::passed, Verdict::failed, Verdict::unsupported, Verdict::no_reference})
    out[name_of(v)] = count(tests, v);
  out["tests"] = nlohmann::ordered_json::array();
  for (const ConformanceTest& t : tests)
    out["tests"].push_back({{"name", t.name}, {"status", name_of(t.verdict)}, {"reason", t.reason}});
  print_json(out);
}

// The first problem in one line; --json has them all.
std::string short_reason(const std::string& reason) {
  const size_t first = reason.find("\n  ");
  if (first == std::string::npos) return reason;
  const size_t end = reason.find('\n', first + 3);
  std::string text = reason.substr(first + 3, end == std::string::npos ? end : end - first - 3);
  size_t more = 0;
  for (size_t at = end; at != std::string::npos; at = reason.find("\n  ", at + 3))
    more += reason.compare(at, 4, "\n   ") != 0 ? 1 : 0;
  return more > 0 ? text + format(" (and %zu more)", more) : text;
}

void print_text(const Tests& tests) {
  for (const ConformanceTest& t : tests)
    if (t.verdict != Verdict::passed)
      std::printf("%-12s %s: %s\n", name_of(t.verdict), t.name.c_str(), short_reason(t.reason).c_str());
  std::printf("%zu passed, %zu failed, %zu unsupported", count(tests, Verdict::passed),
              count(tests, Verdict::failed), count(tests, Verdict::unsupported));
  if (const size_t n = count(tests, Verdict::no_reference); n > 0) std::printf(", %zu without reference", n);
  std::printf("\n");
}

int run(Options& options) {
  const Result<BackendChoice> backend = parse_backend(std::getenv("PITH_BACKEND"));
  if (!backend.is_ok()) return report("conformance", backend.status());
  options.run.backend = backend.value();
  options.run.optimize = !options.no_passes;
  Progress progress("conformance");
  const Result<Tests> tests = run_conformance(
      options.folder, options.run,
      [&](size_t done, size_t total, const ConformanceTest&) { progress.update(done, total); });
  progress.finish();
  if (!tests.is_ok()) return report("conformance", tests.status());
  options.json ? print_result(tests.value()) : print_text(tests.value());
  return count(tests.value(), Verdict::failed) == 0 ? kExitOk : kExitAccuracy;
}

}  // namespace

void add_conformance(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<Options>();
  CommandLine line(app, "conformance", "Run a folder of models with reference results");
  line.argument("DIR", &options->folder, "Folder tree with .onnx files and reference data");
  line.text("--filter", &options->run.filter, "TEXT", "Only tests whose name contains TEXT");
  line.count("--threads", &options->run.threads, 1, 1024, "Threads of every session");
  line.count("--timeout", &options->run.seconds, 1, 86400, "Seconds after which a test has failed");
  line.flag("--no-passes", &options->no_passes, "Do not optimize the graph first");
  line.flag("--json", &options->json, "Print one JSON object");
  line.examples(
      "A test is passed, failed, or unsupported (refused by name). Exit code 4 when one failed.\n"
      "PITH_BACKEND=reference|pith|xnnpack pins a backend.\n\n"
      "Examples:\n"
      "  pith conformance onnx/backend/test/data/node\n"
      "  pith conformance models --filter softmax --json");
  line.run([options, exit_code] { *exit_code = run(*options); });
}

}  // namespace pith::cli
