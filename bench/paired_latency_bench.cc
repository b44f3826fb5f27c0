// Latency of two models side by side: rounds alternate between them in one process, so that what disturbs one disturbs
// the other; both run on one thread pool. Prints one JSON object with the medians, their ratio, and how far the middle half of the samples spreads.
//   pith_paired_latency_bench A.pith B.pith [--threads N] [--seconds X] [--backends NAME,NAME]
// Backends (auto, reference, xnnpack, pith) of A and of B: the same file twice compares two backends.
#include <pith/pith.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "paired_latency: %s: %s\n", what, pith_last_error());
  std::exit(1);
}

struct Runner {
  pith_model* model = nullptr;
  pith_session* session = nullptr;
  std::vector<double> samples;

  Runner(const char* path, pith_thread_pool* pool, pith_backend backend) {
    if (pith_model_open(path, nullptr, &model) != PITH_OK) die(path);
    pith_session_options options{};
    options.size = sizeof options;
    options.pool = pool;
    options.backend = backend;
    if (pith_session_create(model, &options, &session) != PITH_OK) die(path);
    for (size_t i = 0; i < pith_session_input_count(session); ++i) {
      pith_tensor input = pith_session_input(session, i);
      for (int32_t d = 0; d < input.rank; ++d)
        if (input.dims[d] < 0) input.dims[d] = 1;
      if (pith_session_set_input_shape(session, i, input.dims, std::max(input.rank, 0)) != PITH_OK) die(path);
    }
    if (pith_session_prepare(session) != PITH_OK) die(path);
    std::mt19937 random(1);
    for (size_t i = 0; i < pith_session_input_count(session); ++i) {
      const pith_tensor input = pith_session_input(session, i);
      std::memset(input.data, 0, input.bytes);
      if (input.dtype != PITH_F32) continue;
      auto* values = static_cast<float*>(input.data);
      for (size_t k = 0; k < input.bytes / sizeof(float); ++k)
        values[k] = static_cast<float>(static_cast<double>(random() >> 8) * 0x1p-24);
    }
  }
  void run_once() {
    if (pith_session_run(session) != PITH_OK) die("run");
  }
  // About 20 ms of runs.
  void round(bool record) {
    const auto begin = Clock::now();
    do {
      const auto start = Clock::now();
      run_once();
      if (record) samples.push_back(ms_since(start));
    } while (ms_since(begin) < 20);
  }
  double quantile(double q) {
    std::sort(samples.begin(), samples.end());
    return samples[static_cast<size_t>(q * static_cast<double>(samples.size() - 1))];
  }
};

// Takes the next name of a list of them from *list.
pith_backend next_backend(const char** list) {
  static const struct {
    const char* name;
    pith_backend backend;
  } kNames[] = {{"auto", PITH_BACKEND_AUTO},
                {"reference", PITH_BACKEND_REFERENCE},
                {"xnnpack", PITH_BACKEND_XNNPACK},
                {"pith", PITH_BACKEND_PITH}};
  const std::string name(*list, std::strcspn(*list, ","));
  *list += name.size() + ((*list)[name.size()] == ',' ? 1 : 0);
  for (const auto& known : kNames)
    if (name == known.name) return known.backend;
  std::fprintf(stderr, "paired_latency: unknown backend '%s'\n", name.c_str());
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  uint32_t threads = 1;
  double seconds = 4;
  const char* backends = "auto,auto";
  std::vector<const char*> paths;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
      threads = static_cast<uint32_t>(std::atoi(argv[++i]));
    else if (std::strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
      seconds = std::atof(argv[++i]);
    else if (std::strcmp(argv[i], "--backends") == 0 && i + 1 < argc)
      backends = argv[++i];
    else
      paths.push_back(argv[i]);
  }
  if (paths.size() != 2) {
    std::fputs(
        "usage: pith_paired_latency_bench A.pith B.pith [--threads N] [--seconds X] [--backends A,B]\n",
        stderr);
    return 2;
  }
  const pith_backend a_backend = next_backend(&backends), b_backend = next_backend(&backends);
  pith_thread_pool* pool = nullptr;  // one for both, as in a program with two models
  if (pith_thread_pool_create(threads, &pool) != PITH_OK) die("threads");
  Runner a(paths[0], pool, a_backend), b(paths[1], pool, b_backend);
  for (int warm = 0; warm < 3; ++warm) a.round(false), b.round(false);
  size_t rounds = 0;
  for (const auto begin = Clock::now(); ms_since(begin) < seconds * 1e3 || rounds < 5; ++rounds) {
    a.round(true);
    b.round(true);
  }
  const double a_ms = a.quantile(0.5), b_ms = b.quantile(0.5);
  std::printf(
      "{\"threads\": %u, \"rounds\": %zu, \"a_ms\": %.4f, \"b_ms\": %.4f, \"b_over_a\": %.3f, "
      "\"a_spread\": %.3f, \"b_spread\": %.3f}\n",
      threads, rounds, a_ms, b_ms, b_ms / a_ms, (a.quantile(0.75) - a.quantile(0.25)) / a_ms,
      (b.quantile(0.75) - b.quantile(0.25)) / b_ms);
  return 0;
}
