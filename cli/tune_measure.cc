// One session for every rank of candidates: in session r each node runs on its r-th candidate, or on the first when it has no
// r-th one. The sessions take turns, run by run, so that what disturbs one disturbs all.
#include "cli/tune_measure.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace pith::cli {
namespace {

using Candidates = std::vector<std::vector<BackendChoice>>;  // by operator, the usual one first

// Times of every operator on every backend.
class Times : public TraceSink {
 public:
  explicit Times(size_t operators) : samples_(operators) {}
  void watch(const Session& session) {
    for (size_t i = 0; i < session.node_count(); ++i) index_[&session.node(i)] = i;
  }
  void on_step(const StepTrace& step) override {
    const auto at = index_.find(step.node);
    const auto backend = parse_backend(step.kernel->backend);
    if (!recording || at == index_.end() || !backend.is_ok()) return;
    samples_[at->second][static_cast<size_t>(backend.value())].push_back(step.end_ns - step.begin_ns);
  }
  // Medians, the backend to use first.
  std::vector<NodeTiming> timings(size_t op, BackendChoice usual) {
    std::vector<NodeTiming> out;
    for (size_t b = 0; b < kBackendCount; ++b) {
      std::vector<uint64_t>& s = samples_[op][b];
      if (s.empty()) continue;
      std::nth_element(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(s.size() / 2), s.end());
      out.push_back({static_cast<BackendChoice>(b), s[s.size() / 2]});
    }
    const auto key = [&](const NodeTiming& t) {
      return static_cast<double>(t.ns) * (t.backend == usual ? 1 - kLeastGain : 1);
    };
    std::stable_sort(out.begin(), out.end(),
                     [&](const NodeTiming& a, const NodeTiming& b) { return key(a) < key(b); });
    return out;
  }
  bool recording = false;

 private:
  static constexpr size_t kBackendCount = 4;  // BackendChoice
  std::unordered_map<const NodeView*, size_t> index_;
  std::vector<std::array<std::vector<uint64_t>, kBackendCount>> samples_;
};

Result<Candidates> find_candidates(const LoadedModel& model, const SessionOptions& options,
                                   const std::vector<data::HostTensor>& inputs) {
  PITH_ASSIGN(const std::unique_ptr<Session> session, Session::create(model.model, options));
  session->explain_kernels();
  PITH_RETURN_IF_ERROR(feed(*session, inputs));
  PITH_RETURN_IF_ERROR(session->run());  // completes plans that depend on values
  Candidates out(session->node_count());
  for (size_t stage = 0; stage < session->stage_count(); ++stage)
    for (const Session::Step& step : session->steps(stage)) {
      uint64_t least = UINT64_MAX;
      for (const KernelCandidate& c : step.candidates)
        if (c.takes()) least = std::min(least, c.expected_ns);
      for (const KernelCandidate& c : step.candidates)
        if (c.takes() && c.expected_ns / kHopelessFactor <= least) out[step.op].push_back(c.backend);
    }
  return out;
}

Result<std::unique_ptr<Session>> assign(const LoadedModel& model, SessionOptions options,
                                        const Candidates& candidates, size_t rank,
                                        const std::vector<data::HostTensor>& inputs) {
  auto wanted = std::make_shared<Tuning>();
  wanted->nodes.resize(candidates.size());
  for (size_t i = 0; i < candidates.size(); ++i)
    if (!candidates[i].empty())
      wanted->nodes[i] = {{candidates[i][rank < candidates[i].size() ? rank : 0], 0}};
  options.measured = wanted;
  PITH_ASSIGN(std::unique_ptr<Session> session, Session::create(model.model, options));
  PITH_RETURN_IF_ERROR(feed(*session, inputs));
  return session;
}

}  // namespace

Status run_afresh(Session& session) {
  if (session.remembered() > 0) PITH_RETURN_IF_ERROR(session.rewind(0));
  return session.run();
}

Result<TunedModel> measure_backends(const LoadedModel& model, const SessionOptions& options,
                                    const std::vector<data::HostTensor>& inputs, const TunePlan& plan) {
  SessionOptions untuned = options;
  untuned.tuning.clear();
  untuned.measured = nullptr;
  untuned.pool = ThreadPool::create(options.threads);
  PITH_ASSIGN(const Candidates candidates, find_candidates(model, untuned, inputs));
  size_t ranks = 1;
  for (const auto& c : candidates) ranks = std::max(ranks, c.size());
  std::vector<std::unique_ptr<Session>> sessions;
  Times times(candidates.size());
  for (size_t r = 0; r < ranks; ++r) {
    PITH_ASSIGN(std::unique_ptr<Session> session, assign(model, untuned, candidates, r, inputs));
    session->set_trace(&times);
    times.watch(*session);
    sessions.push_back(std::move(session));
  }
  TunedModel out;
  const uint64_t begin = monotonic_ns();
  double share = 0;
  for (size_t round = 0; round < plan.warmup + plan.min_runs || share < 1; ++round) {
    times.recording = round >= plan.warmup;
    for (const auto& session : sessions) PITH_RETURN_IF_ERROR(run_afresh(*session));
    out.runs += times.recording;
    share = plan.seconds > 0 ? static_cast<double>(monotonic_ns() - begin) / 1e9 / plan.seconds : 1;
    if (plan.progress) plan.progress(std::min(share, 1.0));
  }
  out.tuning.key = sessions[0]->tune_key();
  out.usual.assign(candidates.size(), BackendChoice::automatic);
  out.tuning.nodes.resize(candidates.size());
  out.ns.resize(candidates.size());
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].empty()) continue;
    std::vector<NodeTiming> timings = times.timings(i, candidates[i][0]);
    if (!timings.empty()) out.ns[i] = timings[0].ns;
    if (candidates[i].size() < 2) continue;  // nothing to choose
    out.usual[i] = candidates[i][0];
    out.tuning.nodes[i] = std::move(timings);
  }
  return out;
}

}  // namespace pith::cli
