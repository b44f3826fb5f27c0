// pith bench: how fast a model loads and runs, and how much memory that takes.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/model_setup.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/run/process_memory.h"
#include "cli/step_profile.h"
#include "converter/compile/convert.h"
#include "converter/data/atomic_file.h"

namespace pith::cli {
namespace {

struct Options {
  std::string model, profile;
  std::vector<std::string> shapes, inputs;
  size_t threads = 1;
  double seconds = 1;
  size_t min_runs = 20, warmup = 3;
  bool json = false;
};

struct Measured {
  double load_ms = 0, first_run_ms = 0;
  StartTimes start;
  std::vector<double> run_ms;  // sorted
  MemoryUse memory;
  ProcessMemory process;
  uint64_t file_bytes = 0;
};

double to_ms(uint64_t ns) { return static_cast<double>(ns) / 1e6; }
double ms_since(uint64_t begin) { return to_ms(monotonic_ns() - begin); }

// The value below which a share `q` of the sorted samples lies.
double quantile(const std::vector<double>& sorted, double q) {
  const double rank = std::ceil(q * static_cast<double>(sorted.size()));
  return sorted[static_cast<size_t>(std::max(rank, 1.0)) - 1];
}

Result<std::unique_ptr<Session>> load(const Options& options, LoadedModel* loaded, Measured* m) {
  PITH_ASSIGN(const SessionOptions session_opts, session_options(options.threads));
  std::map<std::string, Shape> shapes;
  for (const std::string& s : options.shapes) PITH_RETURN_IF_ERROR(parse_shape_option(s, &shapes));
  const uint64_t begin = monotonic_ns();
  PITH_ASSIGN(*loaded, load_model(options.model));
  m->load_ms = ms_since(begin);
  PITH_ASSIGN(std::unique_ptr<Session> session, Session::create(loaded->model, session_opts));
  PITH_ASSIGN(const std::vector<data::HostTensor> inputs, options.inputs.empty()
                                                              ? noise_inputs(*session, shapes)
                                                              : read_inputs(*session, options.inputs));
  PITH_RETURN_IF_ERROR(feed(*session, inputs));
  return session;
}

Status measure(Session& session, const Options& options, Measured* m) {
  uint64_t begin = monotonic_ns();
  PITH_RETURN_IF_ERROR(session.run());
  m->first_run_ms = ms_since(begin);
  for (size_t i = 1; i < options.warmup; ++i) PITH_RETURN_IF_ERROR(session.run());
  Progress progress("bench");
  const uint64_t start = monotonic_ns();
  while (m->run_ms.size() < options.min_runs || ms_since(start) < options.seconds * 1e3) {
    begin = monotonic_ns();
    PITH_RETURN_IF_ERROR(session.run());
    m->run_ms.push_back(ms_since(begin));
    progress.update(static_cast<size_t>(std::min(ms_since(start), options.seconds * 1e3)),
                    static_cast<size_t>(options.seconds * 1e3));
  }
  std::sort(m->run_ms.begin(), m->run_ms.end());
  m->start = session.start_times();
  m->memory = session.memory();
  m->process = process_memory();
  return Status::ok();
}

void print_profile(const StepProfile& profile) {
  std::map<std::string, double> by_kernel;
  double total = 0;
  for (const StepProfile::Event& e : profile.events()) {
    const double ms = static_cast<double>(e.end_ns - e.begin_ns) / 1e6;
    by_kernel[e.op + " (" + e.backend + " " + e.kernel + ")"] += ms;
    total += ms;
  }
  std::vector<std::pair<double, std::string>> rows;
  for (const auto& [name, ms] : by_kernel) rows.emplace_back(ms, name);
  std::sort(rows.rbegin(), rows.rend());
  for (const auto& [ms, name] : rows)
    std::printf("%9.3f ms %5.1f %%  %s\n", ms, 100 * ms / total, name.c_str());
}

// One more run, traced: tracing must not touch the measured ones.
Status write_profile(Session& session, const Options& options) {
  if (options.profile.empty()) return Status::ok();
  StepProfile profile;
  session.set_trace(&profile);
  const Status ran = session.run();
  session.set_trace(nullptr);
  PITH_RETURN_IF_ERROR(ran);
  const std::string json = profile.chrome_json();
  PITH_RETURN_IF_ERROR(data::write_file_atomically(options.profile, json.data(), json.size()));
  if (!options.json) print_profile(profile);
  return Status::ok();
}

void print_result(const Options& options, const Measured& m) {
  if (options.json) {
    print_json({{"threads", options.threads},
                {"median_ms", quantile(m.run_ms, 0.5)},
                {"p90_ms", quantile(m.run_ms, 0.9)},
                {"min_ms", m.run_ms.front()},
                {"runs", m.run_ms.size()},
                {"load_ms", m.load_ms},
                {"create_ms", to_ms(m.start.create_ns)},
                {"plan_ms", to_ms(m.start.create_ns + m.start.plan_ns)},
                {"prepare_ms", to_ms(m.start.prepare_ns)},
                {"first_run_ms", m.first_run_ms},
                {"peak_rss_bytes", m.process.peak_rss_bytes},
                {"anonymous_bytes", m.process.anonymous_bytes},
                {"arena_bytes", m.memory.arena_bytes},
                {"scratch_bytes", m.memory.scratch_bytes},
                {"file_bytes", m.file_bytes}});
    return;
  }
  std::printf("%s, %zu thread%s, %zu runs\n", options.model.c_str(), options.threads,
              options.threads == 1 ? "" : "s", m.run_ms.size());
  std::printf("  run      median %.3f ms, p90 %.3f ms, fastest %.3f ms\n", quantile(m.run_ms, 0.5),
              quantile(m.run_ms, 0.9), m.run_ms.front());
  std::printf("  start    load %.3f ms, plan %.3f ms, prepare %.3f ms, first run %.3f ms\n", m.load_ms,
              to_ms(m.start.create_ns + m.start.plan_ns), to_ms(m.start.prepare_ns), m.first_run_ms);
  std::printf("  memory   peak resident %s, anonymous %s, activations %s (scratch %s)\n",
              bytes_text(m.process.peak_rss_bytes).c_str(), bytes_text(m.process.anonymous_bytes).c_str(),
              bytes_text(m.memory.arena_bytes).c_str(), bytes_text(m.memory.scratch_bytes).c_str());
  std::printf("  file     %s\n", bytes_text(m.file_bytes).c_str());
}

Status bench(const Options& options) {
  Measured m;
  LoadedModel loaded;
  PITH_ASSIGN(const std::unique_ptr<Session> session, load(options, &loaded, &m));
  PITH_RETURN_IF_ERROR(measure(*session, options, &m));
  std::error_code ignored;
  m.file_bytes = std::filesystem::file_size(options.model, ignored);
  print_result(options, m);
  return write_profile(*session, options);
}

}  // namespace

void add_bench(CLI::App& app, int* exit_code) {
  auto options = std::make_shared<Options>();
  CommandLine line(app, "bench", "Measure latency and memory");
  line.argument("MODEL", &options->model, "Model (.pith, or .onnx converted in memory)");
  line.count("--threads", &options->threads, 1, 1024, "Threads");
  line.real("--seconds", &options->seconds, 0.0, 86400.0, "Measure at least this long");
  line.count("--min-runs", &options->min_runs, 1, size_t{1} << 30, "Measure at least this many runs");
  line.count("--warmup", &options->warmup, 1, size_t{1} << 30, "Runs before measuring");
  line.texts("--shape", &options->shapes, "NAME=1,3,224,224",
             "Shape of an input; free dimensions are 1 otherwise");
  line.texts("--input", &options->inputs, "NAME=x.npy", "Input from a file; all are seeded noise otherwise");
  line.text("--profile", &options->profile, "trace.json",
            "Write one traced run for chrome://tracing or Perfetto");
  line.flag("--json", &options->json, "Print one JSON object");
  line.examples(
      "load: map and verify the file. plan: check operators, infer shapes, lay out memory. prepare: backends "
      "choose kernels and pack weights.\n"
      "Of a .onnx model, load includes the conversion and memory includes the converter's.\n\n"
      "Examples:\n"
      "  pith bench model.pith\n"
      "  pith bench model.pith --threads 2 --profile trace.json\n"
      "  pith bench model.pith --shape image=4,3,224,224 --json");
  line.run([options, exit_code] {
    if (Status s = bench(*options); !s.is_ok()) *exit_code = report("bench", s);
  });
}

}  // namespace pith::cli
