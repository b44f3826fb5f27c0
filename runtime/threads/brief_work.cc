// The clock of brief work.
#include "runtime/threads/brief_work.h"

#include <time.h>

namespace pith {
namespace {

uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

bool BriefWork::may_share() {
  begin_ = 0;
  if (!brief_) return true;
  if (rest_ > 0) {
    --rest_;
    return false;
  }
  begin_ = now_ns();
  return true;
}

void BriefWork::shared() {
  if (begin_ == 0 || now_ns() - begin_ < kStalledNs) return;
  rest_ = next_rest_;
  if (next_rest_ < kLongestRest) next_rest_ *= 2;
}

}  // namespace pith
