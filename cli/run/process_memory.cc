// Reads /proc/self/status (VmHWM) and /proc/self/smaps_rollup (Anonymous); both count in kB.
#include "cli/run/process_memory.h"

#include <cstdio>
#include <cstring>

namespace pith::cli {
namespace {

uint64_t read_kilobytes(const char* path, const char* key) {
  std::FILE* file = std::fopen(path, "r");
  if (file == nullptr) return 0;
  char line[256];
  unsigned long long kilobytes = 0;
  while (std::fgets(line, sizeof line, file) != nullptr)
    if (std::strncmp(line, key, std::strlen(key)) == 0) {
      if (std::sscanf(line + std::strlen(key), "%llu", &kilobytes) != 1) kilobytes = 0;
      break;
    }
  std::fclose(file);
  return uint64_t{kilobytes} * 1024;
}

}  // namespace

ProcessMemory process_memory() {
  return {read_kilobytes("/proc/self/status", "VmHWM:"),
          read_kilobytes("/proc/self/smaps_rollup", "Anonymous:")};
}

}  // namespace pith::cli
