// Whether a session's runs are shared with the other threads of its pool or done by the caller alone: whichever is quicker at
// present. What sharing costs depends on what cannot be known beforehand: how long threads sleep between runs (waking one
// takes the caller about 10 us, and 30 us until it runs), and who else wants the processors. So both ways are timed.
//
//   const bool shared = policy.shares();
//   ...run...
//   policy.ran(nanoseconds);
#pragma once
#include <cstdint>

namespace pith {

class TeamPolicy {
 public:
  bool shares() const { return way_ == kShared; }  // the run that comes now
  void ran(uint64_t ns);

 private:
  enum Way : uint8_t { kShared, kAlone };
  static constexpr uint32_t kTrialRuns = 3, kFirstWait = 64, kLongestWait = 1024;
  void begin_trial(Way way);
  void end_trial();

  Way way_ = kShared, usual_ = kAlone;
  bool trial_ = true;  // of way_, which is not the usual one (a new session tries both)
  bool warm_ = false;  // the first run of a session is like no other
  uint32_t trial_runs_ = 0;
  uint64_t trial_ns_[kTrialRuns] = {};
  uint64_t typical_ns_[2] = {0, 0};        // by way; 0: not tried yet
  uint32_t wait_ = kFirstWait, runs_ = 0;  // until the next trial
};

}  // namespace pith
