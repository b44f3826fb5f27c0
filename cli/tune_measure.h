// Measures every node of a model on every backend that is a candidate for it.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "cli/model_setup.h"

namespace pith::cli {

struct TunePlan {
  double seconds = 5;  // all measuring together, if every backend could run at least three times
  size_t warmup = 3, min_runs = 3;
  std::function<void(double share)> progress;  // of the time; may be empty
};

struct TunedModel {
  Tuning tuning;
  std::vector<BackendChoice> usual;  // by operator: who runs it without tuning; automatic: it is no step
  std::vector<uint64_t> ns;          // by operator: of the backend to use, median; 0: it is no step
  size_t runs = 0;                   // of every assignment of nodes to backends
};

// Candidates whose expected time is beyond this many times the least are not measured: on the reference a network may take
// a thousand times as long.
inline constexpr uint64_t kHopelessFactor = 10;
// A backend must be this much quicker than the usual one to replace it.
inline constexpr double kLeastGain = 0.03;

Result<TunedModel> measure_backends(const LoadedModel& model, const SessionOptions& options,
                                    const std::vector<data::HostTensor>& inputs, const TunePlan& plan);

// One run; models with memory begin anew, so that every run does the same work.
Status run_afresh(Session& session);

}  // namespace pith::cli
