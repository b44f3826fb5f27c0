// Runs a function in a child process, so that a crash or a hang of it becomes a result.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

namespace pith {

struct IsolateLimits {
  unsigned seconds = 120;     // wall clock
  uint64_t memory_bytes = 0;  // of address space; 0: no limit
};

struct IsolatedOutcome {
  bool completed = false;
  std::string text;  // what the function returned, or how the child ended: "crashed: Segmentation fault"
};

// `work` runs in a forked child of this process, which must have no other threads.
IsolatedOutcome run_isolated(const std::function<std::string()>& work, const IsolateLimits& limits);

}  // namespace pith
