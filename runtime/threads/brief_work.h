// Keeps brief work from waiting for threads that have lost their processor.
//
// Sharing 20 us of work pays when the other threads are running. On a machine with other load one of them may have to wait
// for its turn, 4 ms or more, while the caller spins for it. So brief work looks at the clock: when sharing took longer than
// any honest run, the next runs stay on the caller, twice as many after each failure.
//
//   ThreadPool* pool = s.brief.may_share() ? context.pool : nullptr;
//   ...run...
//   s.brief.shared();
#pragma once
#include <cstdint>

namespace pith {

class BriefWork {
 public:
  // brief: expected to take well below a millisecond on one thread. Others always share.
  void expect(bool brief) { brief_ = brief; }
  bool may_share();  // notes the time
  void shared();     // after work that was shared; nothing happens when it was not

 private:
  static constexpr uint64_t kStalledNs = 2'000'000;
  static constexpr uint32_t kFirstRest = 256, kLongestRest = 1u << 16;  // runs
  bool brief_ = false;
  uint32_t rest_ = 0, next_rest_ = kFirstRest;
  uint64_t begin_ = 0;  // 0: not shared
};

}  // namespace pith
