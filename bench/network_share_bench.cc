// Whole networks as a share of what this processor's dot products can do: multiply-adds / peak / time of one thread, with
// the peak measured before and after each, and where the time goes.
//   pith_network_share_bench M.pith ... [--rounds N] [--nodes]     --nodes: every node with a millionth of a second or more
// CPU time of the calling thread, which other programs on the machine do not lengthen; median of N runs (default 51).
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "bench/bench_timing.h"
#include "bench/machine_limits.h"
#include "runtime/exec/session.h"

namespace pith::bench {
namespace {

struct Options {
  std::vector<std::string> files;
  int rounds = 51;
  bool nodes = false;
};

// Multiply-adds of a node: of convolutions and products.
double work_of(const NodeView& node) {
  const bool product = node.op == schema::Op::ConvOptions || node.op == schema::Op::FullyConnectedOptions;
  if (!product || !node.has(1)) return 0;
  return static_cast<double>(node.out(0).count()) * static_cast<double>(node.in(1).count()) /
         static_cast<double>(node.in(1).shape[0]);
}

struct Spent {
  double seconds = 0, work = 0;
  size_t count = 0;
  void add(double s, double w) { seconds += s, work += w, ++count; }
};

// Times from one traced run; the shortest of several counts, as tracing has no clock of CPU time.
struct Profile : TraceSink {
  std::vector<double> seconds, work;
  std::vector<std::string> kernels, names;
  size_t at = 0;
  void on_step(const StepTrace& t) override {
    const double s = 1e-9 * static_cast<double>(t.end_ns - t.begin_ns);
    if (at == seconds.size()) {
      seconds.push_back(s);
      work.push_back(work_of(*t.node));
      kernels.push_back(std::string(t.kernel->backend) + ":" + t.kernel->name);
      names.push_back(std::string(t.node->name) + " " + t.node->out(0).shape.text() +
                      (t.node->has(1) ? " " + t.node->in(1).shape.text() : ""));
    }
    seconds[at] = std::min(seconds[at], s);
    ++at;
  }
};

void fill_inputs(Session& session) {
  std::mt19937 random(1);
  for (size_t i = 0; i < session.input_count(); ++i) {
    const TensorView& x = session.input(i);
    std::memset(x.data, 0, x.byte_size());
    if (x.dtype != DType::f32) continue;
    for (int64_t k = 0; k < x.count(); ++k)
      x.as_mutable<float>()[k] = static_cast<float>(static_cast<double>(random() >> 8) * 0x1p-24);
  }
}

Result<std::unique_ptr<Session>> ready_session(const std::string& file) {
  PITH_ASSIGN(std::shared_ptr<const Model> model, Model::open(file.c_str()));
  PITH_ASSIGN(std::unique_ptr<Session> session, Session::create(std::move(model), {}));
  for (size_t i = 0; i < session->input_count(); ++i) {
    Shape shape = session->input(i).shape;
    for (int d = 0; d < shape.rank(); ++d)
      if (shape[d] < 0) shape[d] = 1;
    PITH_RETURN_IF_ERROR(session->set_input_shape(i, shape));
  }
  PITH_RETURN_IF_ERROR(session->prepare());
  fill_inputs(*session);
  PITH_RETURN_IF_ERROR(session->run());
  return session;
}

void print_profile(const Profile& p, double peak, bool nodes) {
  std::map<std::string, Spent> by_kernel;
  for (size_t i = 0; i < p.seconds.size(); ++i) {
    by_kernel[p.kernels[i]].add(p.seconds[i], p.work[i]);
    if (nodes && p.seconds[i] >= 1e-6)
      std::printf("    %9.1f us %5.1f %%  %-28s %s\n", 1e6 * p.seconds[i],
                  200e-9 * p.work[i] / peak / p.seconds[i], p.kernels[i].c_str(), p.names[i].c_str());
  }
  for (const auto& [name, s] : by_kernel)
    std::printf("  %9.1f us %5.1f %%  %3zu x %s\n", 1e6 * s.seconds, 200e-9 * s.work / peak / s.seconds,
                s.count, name.c_str());
}

Status measure(const std::string& file, const Options& options) {
  PITH_ASSIGN(const std::unique_ptr<Session> session, ready_session(file));
  double peak = dot_peak_gops();
  std::vector<double> times;
  for (int i = 0; i < options.rounds; ++i) {
    const double begin = clock_seconds(CLOCK_THREAD_CPUTIME_ID);
    PITH_RETURN_IF_ERROR(session->run());
    times.push_back(clock_seconds(CLOCK_THREAD_CPUTIME_ID) - begin);
  }
  peak = std::max(peak, dot_peak_gops());
  std::nth_element(times.begin(), times.begin() + options.rounds / 2, times.end());
  const double time = times[times.size() / 2];
  Profile profile;
  session->set_trace(&profile);
  for (int i = 0; i < 15; ++i, profile.at = 0) PITH_RETURN_IF_ERROR(session->run());
  double work = 0;
  for (double w : profile.work) work += w;
  std::printf("%s: %.3f ms, %.1f million multiply-adds, %.1f GOPS, %.1f %% of the dot peak %.0f\n",
              file.c_str(), 1e3 * time, 1e-6 * work, 2e-9 * work / time, 200e-9 * work / time / peak, peak);
  print_profile(profile, peak, options.nodes);
  return Status::ok();
}

}  // namespace
}  // namespace pith::bench

int main(int argc, char** argv) {
  pith::bench::Options options;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--nodes") == 0)
      options.nodes = true;
    else if (std::strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
      options.rounds = std::max(1, std::atoi(argv[++i]));
    else
      options.files.push_back(argv[i]);
  }
  for (const std::string& file : options.files)
    if (const pith::Status s = pith::bench::measure(file, options); !s.is_ok()) {
      std::fprintf(stderr, "%s: %s\n", file.c_str(), s.message().c_str());
      return 1;
    }
  return options.files.empty() ? 2 : 0;
}
