// Trials of the other way, rarer and rarer as long as they confirm what is done.
#include "runtime/threads/team_policy.h"

namespace pith {
namespace {

uint64_t middle(const uint64_t (&t)[3]) {
  const uint64_t low = t[0] < t[1] ? t[0] : t[1], high = t[0] < t[1] ? t[1] : t[0];
  return t[2] < low ? low : t[2] < high ? t[2] : high;
}

}  // namespace

void TeamPolicy::ran(uint64_t ns) {
  if (!warm_) {
    warm_ = true;
    return;
  }
  if (trial_) {
    trial_ns_[trial_runs_] = ns;
    if (++trial_runs_ == kTrialRuns) end_trial();
    return;
  }
  // One run that was interrupted says little: it counts as twice the usual time at most.
  const uint64_t seen = ns / 2 > typical_ns_[way_] ? 2 * typical_ns_[way_] : ns;
  const auto step = static_cast<int64_t>(seen - typical_ns_[way_]) / 8;
  typical_ns_[way_] += static_cast<uint64_t>(step);
  const Way other = way_ == kShared ? kAlone : kShared;
  const bool worse = typical_ns_[way_] > typical_ns_[other];
  if (++runs_ >= wait_ || (worse && runs_ >= kFirstWait / 4)) begin_trial(other);
}

void TeamPolicy::begin_trial(Way way) {
  way_ = way;
  trial_ = true;
  trial_runs_ = 0;
}

// Sharing takes processors from others: it must be quicker by a twentieth to begin, and by a fortieth to go on.
void TeamPolicy::end_trial() {
  trial_ = false;
  runs_ = 0;
  typical_ns_[way_] = middle(trial_ns_);
  const Way other = way_ == kShared ? kAlone : kShared;
  if (typical_ns_[other] == 0) {
    begin_trial(other);
    return;
  }
  const uint64_t alone = typical_ns_[kAlone];
  const Way better = typical_ns_[kShared] < alone - alone / (usual_ == kShared ? 40 : 20) ? kShared : kAlone;
  if (better != usual_)
    wait_ = kFirstWait;
  else if (wait_ < kLongestWait)
    wait_ *= 2;
  way_ = usual_ = better;
}

}  // namespace pith
