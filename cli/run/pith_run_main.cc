// pith-run: run, bench and inspect .pith models on a board. Links the runtime alone, through its C interface.
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "cli/run/plain_npy.h"
#include "cli/run/process_memory.h"
#include "pith/pith.h"

namespace {

using pith::board::Array;

enum { kOk = 0, kInternal = 1, kUsage = 2, kModel = 3, kIo = 7 };

constexpr char kHelp[] =
    "pith-run: runs .pith models without the converter.\n"
    "  pith-run run MODEL --input NAME=x.npy ... [--output-dir DIR] [--threads N]\n"
    "  pith-run bench MODEL [--input NAME=x.npy ...] [--threads N] [--seconds X] [--json]\n"
    "  pith-run inspect MODEL\n"
    "Inputs that bench is not given are zeros; free dimensions are 1. PITH_BACKEND=reference|pith|xnnpack "
    "pins a "
    "backend.\n"
    "Exit codes: 0 ok, 1 internal error, 2 usage, 3 bad or unsupported model, 7 input/output error.\n";

struct Options {
  std::string command, model, output_dir;
  std::vector<std::string> inputs;
  uint32_t threads = 1;
  double seconds = 1;
  bool json = false;
};

int fail(int code, const std::string& message) {
  std::fprintf(stderr, "pith-run: %s\n", message.c_str());
  return code;
}

int fail_status(pith_status status) {
  const int code = status == PITH_INTERNAL       ? kInternal
                   : status == PITH_BAD_ARGUMENT ? kUsage
                   : status == PITH_IO           ? kIo
                                                 : kModel;
  return fail(code, pith_last_error());
}

std::string parse(int argc, char** argv, Options* options) {
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--json") {
      options->json = true;
    } else if (arg.rfind("--", 0) == 0) {
      if (i + 1 == argc) return arg + " needs a value";
      const char* value = argv[++i];
      char* end = nullptr;
      if (arg == "--input")
        options->inputs.emplace_back(value);
      else if (arg == "--output-dir")
        options->output_dir = value;
      else if (arg == "--threads") {
        const long n = std::strtol(value, &end, 10);
        if (*end != '\0' || n < 1 || n > 1024) return "--threads takes 1 to 1024";
        options->threads = static_cast<uint32_t>(n);
      } else if (arg == "--seconds") {
        options->seconds = std::strtod(value, &end);
        if (*end != '\0' || !(options->seconds >= 0 && options->seconds <= 86400))
          return "--seconds takes 0 to 86400";
      } else {
        return "unknown option " + arg;
      }
    } else if (options->command.empty()) {
      options->command = arg;
    } else if (options->model.empty()) {
      options->model = arg;
    } else {
      return "unexpected '" + arg + "'";
    }
  }
  if (options->command != "run" && options->command != "bench" && options->command != "inspect")
    return "expected run, bench or inspect";
  return options->model.empty() ? "no model given" : "";
}

std::string dims_text(const pith_tensor& t) {
  if (t.rank < 0) return "[any rank]";
  std::string text = "[";
  for (int32_t d = 0; d < t.rank; ++d)
    text += (d > 0 ? ", " : "") + (t.dims[d] < 0 ? std::string("?") : std::to_string(t.dims[d]));
  return text + "]";
}

std::string describe(const pith_tensor& t) {
  return std::string(t.name) + " " + pith_dtype_name(t.dtype) + " " + dims_text(t);
}

double now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// Index of the input that "NAME=file" names and the file behind it; a model with one input needs no name.
size_t match_input(pith_session* session, const std::string& text, std::string* path) {
  const size_t count = pith_session_input_count(session);
  for (size_t i = 0; i < count; ++i) {
    const std::string prefix = std::string(pith_session_input(session, i).name) + "=";
    if (text.rfind(prefix, 0) != 0) continue;
    *path = text.substr(prefix.size());
    return i;
  }
  *path = text;
  return count == 1 && text.find('=') == std::string::npos ? 0 : count;
}

int set_shape(pith_session* session, size_t i, std::vector<int64_t> dims) {
  const pith_status status =
      pith_session_set_input_shape(session, i, dims.data(), static_cast<int32_t>(dims.size()));
  return status == PITH_OK ? kOk : fail_status(status);
}

int feed(pith_session* session, const Options& options) {
  const size_t count = pith_session_input_count(session);
  std::vector<Array> arrays(count);
  std::vector<bool> given(count);
  for (const std::string& text : options.inputs) {
    std::string path;
    const size_t i = match_input(session, text, &path);
    if (i == count) return fail(kUsage, "'" + text + "' names no input; expected NAME=x.npy");
    if (std::string problem = pith::board::read_npy(path, &arrays[i]); !problem.empty())
      return fail(kIo, problem);
    if (arrays[i].dtype != pith_session_input(session, i).dtype)
      return fail(kUsage, "'" + path + "' is " + pith_dtype_name(arrays[i].dtype) + "; the input is " +
                              describe(pith_session_input(session, i)));
    given[i] = true;
    if (const int code = set_shape(session, i, arrays[i].dims); code != kOk) return code;
  }
  for (size_t i = 0; i < count; ++i) {
    if (given[i]) continue;
    const pith_tensor t = pith_session_input(session, i);
    if (options.command == "run")
      return fail(kUsage, "input " + describe(t) + " is missing: give --input NAME=x.npy");
    std::vector<int64_t> dims(t.dims, t.dims + std::max(t.rank, 0));
    for (int64_t& d : dims) d = d < 0 ? 1 : d;
    if (const int code = set_shape(session, i, dims); code != kOk) return code;
  }
  if (const pith_status status = pith_session_prepare(session); status != PITH_OK) return fail_status(status);
  for (size_t i = 0; i < count; ++i) {
    const pith_tensor t = pith_session_input(session, i);
    if (t.bytes == 0) continue;
    if (given[i])
      std::memcpy(t.data, arrays[i].bytes.data(), std::min(t.bytes, arrays[i].bytes.size()));
    else
      std::memset(t.data, 0, t.bytes);
  }
  return kOk;
}

int run_once(pith_session* session, const Options& options) {
  if (const int code = feed(session, options); code != kOk) return code;
  if (const pith_status status = pith_session_run(session); status != PITH_OK) return fail_status(status);
  if (!options.output_dir.empty()) mkdir(options.output_dir.c_str(), 0777);
  for (size_t i = 0; i < pith_session_output_count(session); ++i) {
    const pith_tensor t = pith_session_output(session, i);
    std::printf("%s\n", describe(t).c_str());
    if (options.output_dir.empty()) continue;
    std::string name = t.name;
    for (char& c : name)
      if (!std::isalnum(static_cast<unsigned char>(c)) && std::strchr("._-", c) == nullptr) c = '_';
    const std::string path = options.output_dir + "/" + name + ".npy";
    if (std::string problem = pith::board::write_npy(path, t); !problem.empty()) return fail(kIo, problem);
  }
  return kOk;
}

int bench(pith_session* session, const Options& options, double load_ms) {
  double begin = now_ms();
  if (const int code = feed(session, options); code != kOk) return code;
  const double prepare_ms = now_ms() - begin;
  constexpr int kWarmUp = 3;
  constexpr size_t kLeastRuns = 20;
  std::vector<double> times;
  const double start = now_ms();
  for (int i = -kWarmUp; i < 0 || times.size() < kLeastRuns || now_ms() - start < options.seconds * 1e3;
       ++i) {
    begin = now_ms();
    if (const pith_status status = pith_session_run(session); status != PITH_OK) return fail_status(status);
    if (i >= 0) times.push_back(now_ms() - begin);
  }
  std::sort(times.begin(), times.end());
  const double median = times[(times.size() - 1) / 2], p90 = times[(times.size() * 9 + 9) / 10 - 1];
  const auto arena = static_cast<unsigned long long>(pith_session_arena_bytes(session));
  std::printf(options.json ? "{\"threads\": %u, \"median_ms\": %.6f, \"p90_ms\": %.6f, \"load_ms\": %.6f, "
                             "\"prepare_ms\": %.6f, \"arena_bytes\": %llu, \"peak_rss_bytes\": %llu}\n"
                           : "threads %u: median %.3f ms, p90 %.3f ms; load %.3f ms, prepare %.3f ms; "
                             "activations %llu bytes, peak resident %llu bytes\n",
              options.threads, median, p90, load_ms, prepare_ms, arena,
              static_cast<unsigned long long>(pith::cli::process_memory().peak_rss_bytes));
  return kOk;
}

int inspect(pith_session* session) {
  for (size_t i = 0; i < pith_session_input_count(session); ++i)
    std::printf("input  %s\n", describe(pith_session_input(session, i)).c_str());
  for (size_t i = 0; i < pith_session_output_count(session); ++i)
    std::printf("output %s\n", describe(pith_session_output(session, i)).c_str());
  return kOk;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--help") == 0) return std::fputs(kHelp, stdout) < 0 ? kIo : kOk;
  if (argc == 2 && std::strcmp(argv[1], "--version") == 0)
    return std::printf("pith-run %s\n", pith_version()) < 0 ? kIo : kOk;
  Options options;
  if (std::string problem = parse(argc, argv, &options); !problem.empty())
    return fail(kUsage, problem + "; pith-run --help explains");
  const double begin = now_ms();
  pith_model* model = nullptr;
  if (const pith_status status = pith_model_open(options.model.c_str(), nullptr, &model); status != PITH_OK)
    return fail_status(status);
  pith_session_options session_options{};
  session_options.size = sizeof session_options;
  session_options.threads = options.threads;
  pith_session* session = nullptr;
  pith_status status = pith_session_create(model, &session_options, &session);
  const double load_ms = now_ms() - begin;
  int code = kOk;
  if (status != PITH_OK)
    code = fail_status(status);
  else
    code = options.command == "run"     ? run_once(session, options)
           : options.command == "bench" ? bench(session, options, load_ms)
                                        : inspect(session);
  pith_session_destroy(session);
  pith_model_destroy(model);
  return code;
}
