// The name as cpuinfo reads it; on unequal cores, or where it reads none, the microarchitectures too.
#include "kernels/base/cpu_identity.h"

#include <cpuinfo.h>

#include <cstdio>

namespace pith {
namespace {

// snprintf behind what is there.
template <class... Args>
void append(char (&out)[kCpuIdentityBytes], size_t* used, const char* fmt, Args... args) {
  if (*used >= sizeof out - 1) return;
  const int n = std::snprintf(out + *used, sizeof out - *used, fmt, args...);
  if (n > 0) *used += static_cast<size_t>(n);
}

}  // namespace

void cpu_identity(Cpu cpu, char (&out)[kCpuIdentityBytes]) {
  size_t used = 0;
  out[0] = '\0';
  uint32_t processors = 0;
  if (cpuinfo_initialize()) {
    processors = cpuinfo_get_processors_count();
    const char* name = cpuinfo_get_packages_count() > 0 ? cpuinfo_get_package(0)->name : "";
    append(out, &used, "%s", name);
    const uint32_t clusters = cpuinfo_get_clusters_count();
    for (uint32_t i = 0; i < clusters && i < 4 && (clusters > 1 || *name == '\0'); ++i)
      append(out, &used, " %x*%u", static_cast<unsigned>(cpuinfo_get_cluster(i)->uarch),
             static_cast<unsigned>(cpuinfo_get_cluster(i)->processor_count));
  }
  append(out, &used, " x %u, features %x%s", static_cast<unsigned>(processors),
         static_cast<unsigned>(cpu.bits), cpu.capped ? ", capped" : "");
  for (char* c = out; *c != '\0'; ++c)
    if (*c < ' ' || *c > '~') *c = '?';
}

}  // namespace pith
