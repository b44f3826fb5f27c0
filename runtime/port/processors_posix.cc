// Linux: sched_getaffinity, cgroup v2 cpu.max and v1 cfs_quota, cpu_capacity. Elsewhere: what sysconf says.
#include "runtime/port/processors.h"

#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#if defined(__linux__)
#include <sched.h>
#endif

namespace pith {
namespace {

// First `size - 1` bytes of a file as text; false when it cannot be read.
bool read_text(const std::string& path, char* text, size_t size) {
  FILE* file = fopen(path.c_str(), "re");
  if (file == nullptr) return false;
  const size_t n = fread(text, 1, size - 1, file);
  fclose(file);
  text[n] = '\0';
  return n > 0;
}

constexpr size_t kNoLimit = SIZE_MAX;

size_t quota_in_processors(long long quota, long long period) {
  if (quota <= 0 || period <= 0) return kNoLimit;
  return static_cast<size_t>((quota - 1) / period + 1);
}

// "max 100000" or "150000 100000" (microseconds of every period).
size_t read_cpu_max(const std::string& folder) {
  char text[64];
  long long quota = 0, period = 0;
  if (!read_text(folder + "/cpu.max", text, sizeof text) || sscanf(text, "%lld %lld", &quota, &period) != 2)
    return kNoLimit;
  return quota_in_processors(quota, period);
}

size_t read_cfs_quota(const std::string& folder) {
  char quota_text[32], period_text[32];
  long long quota = 0, period = 0;
  if (!read_text(folder + "/cpu.cfs_quota_us", quota_text, sizeof quota_text) ||
      !read_text(folder + "/cpu.cfs_period_us", period_text, sizeof period_text) ||
      sscanf(quota_text, "%lld", &quota) != 1 || sscanf(period_text, "%lld", &period) != 1)
    return kNoLimit;
  return quota_in_processors(quota, period);
}

// A limit holds for a group and everything below it: the strictest on the way to the top counts.
template <class ReadLimit>
size_t strictest(const std::string& mount, std::string group, ReadLimit read_limit) {
  size_t limit = read_limit(mount);
  while (group.size() > 1) {
    limit = std::min(limit, read_limit(mount + group));
    group.erase(group.find_last_of('/'));
  }
  return limit;
}

// Lines of /proc/self/cgroup: "0::/path" (v2) and "4:cpu,cpuacct:/path" (v1).
size_t cgroup_limit(const std::string& root) {
  char text[4096];
  size_t limit = kNoLimit;
  if (!read_text(root + "/proc/self/cgroup", text, sizeof text)) return limit;
  for (char* line = text; line != nullptr && *line != '\0';) {
    char* end = strchr(line, '\n');
    if (end != nullptr) *end = '\0';
    char* names = strchr(line, ':');
    char* path = names == nullptr ? nullptr : strchr(names + 1, ':');
    if (path != nullptr) {
      const std::string controllers = "," + std::string(names + 1, path) + ",";
      if (controllers == ",,")
        limit = std::min(limit, strictest(root + "/sys/fs/cgroup", path + 1, read_cpu_max));
      else if (controllers.find(",cpu,") != std::string::npos)
        limit = std::min(limit, strictest(root + "/sys/fs/cgroup/cpu", path + 1, read_cfs_quota));
    }
    line = end == nullptr ? nullptr : end + 1;
  }
  return limit;
}

#if defined(__linux__)
// Relative speed of a core, 1024 for the fastest; 0 where the system does not say (all cores alike).
long capacity_of(const std::string& root, int cpu) {
  char text[32];
  long capacity = 0;
  const std::string path = root + "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cpu_capacity";
  return read_text(path, text, sizeof text) && sscanf(text, "%ld", &capacity) == 1 ? capacity : 0;
}

// Slow cores make the fast ones wait at every operator: only those of at least 3/5 of the best are counted.
size_t allowed_processors(const std::string& root) {
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) return 1;
  long best = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &mask)) best = std::max(best, capacity_of(root, cpu));
  size_t count = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &mask) && (best == 0 || capacity_of(root, cpu) * 5 >= best * 3)) ++count;
  return count;
}
#else
size_t allowed_processors(const std::string&) {
  const long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? static_cast<size_t>(count) : 1;
}
#endif

}  // namespace

size_t usable_processors(const char* root) {
  return std::max<size_t>(1, std::min(allowed_processors(root), cgroup_limit(root)));
}

}  // namespace pith
