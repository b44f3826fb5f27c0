// How many processors this process may use at once: the default number of threads.
#pragma once
#include <cstddef>

namespace pith {

// The smallest of: processors of the affinity mask (on unequal cores, the performance ones among them) and
// the CPU quota of the control groups the process is in, rounded up. At least 1. `root` is put before the
// paths of the system's files; tests give a folder of their own.
size_t usable_processors(const char* root = "");

}  // namespace pith
