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
  const auto step = static_cast<int64_t>(ns - typical_ns_[way_]) / 8;
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

// The way just tried is kept when it is clearly quicker; a switch forth and back would cost more than it brings.
void TeamPolicy::end_trial() {
  trial_ = false;
  runs_ = 0;
  typical_ns_[way_] = middle(trial_ns_);
  const Way other = way_ == kShared ? kAlone : kShared;
  if (typical_ns_[other] == 0) {
    begin_trial(other);
    return;
  }
  if (typical_ns_[way_] < typical_ns_[other] - typical_ns_[other] / 32) {
    wait_ = kFirstWait;
    return;
  }
  way_ = other;
  if (wait_ < kLongestWait) wait_ *= 2;
}

}  // namespace pith
