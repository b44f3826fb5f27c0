// What the operating system says this process uses.
#pragma once
#include <cstdint>

namespace pith::cli {

struct ProcessMemory {
  uint64_t peak_rss_bytes = 0;   // the most that was resident at once, mapped files included
  uint64_t anonymous_bytes = 0;  // resident now, not backed by a file: heap, arenas, stacks
};

// Zero where the system does not say (no /proc).
ProcessMemory process_memory();

}  // namespace pith::cli
