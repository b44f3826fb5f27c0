// Independent chains of the instruction, nothing else.
#include "bench/dot_peak.h"

#include <time.h>

#include <algorithm>

#include "kernels/base/cpu.h"

namespace pith::bench {
namespace {

constexpr int kLoops = 300'000;

double thread_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

#if defined(__x86_64__)
// 12 chains hide the latency of 4 to 5 cycles on up to two ports.
void run_zmm() {
  for (int i = 0; i < kLoops; ++i)
    asm volatile(
        "vpdpbusd %%zmm30, %%zmm31, %%zmm16\n vpdpbusd %%zmm30, %%zmm31, %%zmm17\n vpdpbusd %%zmm30, "
        "%%zmm31, %%zmm18\n"
        "vpdpbusd %%zmm30, %%zmm31, %%zmm19\n vpdpbusd %%zmm30, %%zmm31, %%zmm20\n vpdpbusd %%zmm30, "
        "%%zmm31, %%zmm21\n"
        "vpdpbusd %%zmm30, %%zmm31, %%zmm22\n vpdpbusd %%zmm30, %%zmm31, %%zmm23\n vpdpbusd %%zmm30, "
        "%%zmm31, %%zmm24\n"
        "vpdpbusd %%zmm30, %%zmm31, %%zmm25\n vpdpbusd %%zmm30, %%zmm31, %%zmm26\n vpdpbusd %%zmm30, "
        "%%zmm31, %%zmm27\n"
        :
        :
        : "memory");
}
void run_ymm() {
  for (int i = 0; i < kLoops; ++i)
    asm volatile(
        "vpmaddubsw %%ymm14, %%ymm15, %%ymm0\n vpmaddwd %%ymm14, %%ymm0, %%ymm1\n vpaddd %%ymm1, %%ymm2, "
        "%%ymm2\n"
        "vpmaddubsw %%ymm14, %%ymm15, %%ymm3\n vpmaddwd %%ymm14, %%ymm3, %%ymm4\n vpaddd %%ymm4, %%ymm5, "
        "%%ymm5\n"
        "vpmaddubsw %%ymm14, %%ymm15, %%ymm6\n vpmaddwd %%ymm14, %%ymm6, %%ymm7\n vpaddd %%ymm7, %%ymm8, "
        "%%ymm8\n"
        "vpmaddubsw %%ymm14, %%ymm15, %%ymm9\n vpmaddwd %%ymm14, %%ymm9, %%ymm10\n vpaddd %%ymm10, %%ymm11, "
        "%%ymm11\n"
        :
        :
        : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
          "xmm11");
}
#endif

}  // namespace

double dot_peak_gops() {
  double best = 0;
#if defined(__x86_64__)
  const Cpu cpu = detect_cpu();
  if (!cpu.has(Cpu::avx2)) return 0;
  const bool zmm = cpu.has(Cpu::avx512vnni);
  const double operations = zmm ? 12 * 128.0 : 4 * 64.0;
  for (int i = 0; i < 15; ++i) {
    const double begin = thread_seconds();
    zmm ? run_zmm() : run_ymm();
    best = std::max(best, operations * kLoops / (thread_seconds() - begin) / 1e9);
  }
#endif
  return best;
}

}  // namespace pith::bench
