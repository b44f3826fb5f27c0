// Rounds of alternating runs; traced runs.
#include "converter/eval/latency.h"

#include <algorithm>

#include "runtime/exec/trace.h"

namespace pith::eval {
namespace {

constexpr double kNsPerMs = 1e6;

class NodeClock : public TraceSink {
 public:
  void on_step(const StepTrace& step) override {
    const double ms = static_cast<double>(step.end_ns - step.begin_ns) / kNsPerMs;
    keep(step.node->name, ms);
    if (step.node->outputs.size() > 0 && step.node->outputs[0] != nullptr)
      keep(step.node->outputs[0]->name, ms);
  }
  std::map<std::string, double> least;

 private:
  void keep(const char* name, double ms) {
    if (name == nullptr || *name == 0) return;
    const auto [at, added] = least.emplace(name, ms);
    if (!added) at->second = std::min(at->second, ms);
  }
};

}  // namespace

Result<std::vector<double>> paired_latency_ms(std::span<Session* const> sessions,
                                              const LatencyOptions& options) {
  std::vector<std::vector<double>> times(sessions.size());
  const uint64_t start = monotonic_ns();
  const auto elapsed = [&] { return static_cast<double>(monotonic_ns() - start) / 1e9; };
  for (int round = -1; round < options.min_rounds || elapsed() < options.seconds; ++round) {
    for (size_t s = 0; s < sessions.size(); ++s) {
      const uint64_t begin = monotonic_ns();
      PITH_RETURN_IF_ERROR(sessions[s]->run());
      if (round >= 0) times[s].push_back(static_cast<double>(monotonic_ns() - begin) / kNsPerMs);
    }
  }
  std::vector<double> medians;
  for (std::vector<double>& t : times) {
    std::nth_element(t.begin(), t.begin() + static_cast<ptrdiff_t>(t.size() / 2), t.end());
    medians.push_back(t[t.size() / 2]);
  }
  return medians;
}

Result<std::map<std::string, double>> node_latency_ms(Session& session, int rounds) {
  PITH_RETURN_IF_ERROR(session.run());
  NodeClock clock;
  session.set_trace(&clock);
  Status done = Status::ok();
  for (int i = 0; i < rounds && done.is_ok(); ++i) done = session.run();
  session.set_trace(nullptr);
  PITH_RETURN_IF_ERROR(done);
  return std::move(clock.least);
}

}  // namespace pith::eval
