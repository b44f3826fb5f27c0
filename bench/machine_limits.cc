// The loops are assembly statements so that no compiler thins them out.
#include "bench/machine_limits.h"

#include <time.h>

#include <algorithm>
#include <initializer_list>

namespace pith::bench {

#if defined(__x86_64__)
namespace {

constexpr int kTurns = 20000;

[[gnu::noinline]] void read_zmm(const uint8_t* p, const uint8_t* end) {
  for (; p < end; p += 512)
    asm volatile(
        "vmovdqu64 (%0), %%zmm0\n vmovdqu64 64(%0), %%zmm1\n vmovdqu64 128(%0), %%zmm2\n vmovdqu64 192(%0), "
        "%%zmm3\n"
        "vmovdqu64 256(%0), %%zmm4\n vmovdqu64 320(%0), %%zmm5\n vmovdqu64 384(%0), %%zmm6\n"
        "vmovdqu64 448(%0), %%zmm7\n" ::"r"(p)
        : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7");
}
[[gnu::noinline]] void read_ymm(const uint8_t* p, const uint8_t* end) {
  for (; p < end; p += 256)
    asm volatile(
        "vmovdqu (%0), %%ymm0\n vmovdqu 32(%0), %%ymm1\n vmovdqu 64(%0), %%ymm2\n vmovdqu 96(%0), %%ymm3\n"
        "vmovdqu 128(%0), %%ymm4\n vmovdqu 160(%0), %%ymm5\n vmovdqu 192(%0), %%ymm6\n vmovdqu 224(%0), "
        "%%ymm7\n" ::"r"(p)
        : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7");
}

#define PITH_CLOBBER                                                                                         \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", \
      "xmm13", "xmm14", "xmm15"
#define PITH_TWELVE(op) \
  op("0") op("1") op("2") op("3") op("4") op("5") op("6") op("7") op("8") op("9") op("10") op("11")

}  // namespace

void read_all(const uint8_t* bytes, size_t count) {
  if (detect_cpu().has(Cpu::avx512vnni))
    read_zmm(bytes, bytes + count);
  else if (detect_cpu().has(Cpu::avx2))
    read_ymm(bytes, bytes + count);
}

double dot_run_zmm(Cpu cpu) {
  if (!cpu.has(Cpu::avx512vnni)) return 0;
#define PITH_OP(n) "vpdpbusd %%zmm14, %%zmm13, %%zmm" n "\n"
  for (int i = 0; i < kTurns; ++i) asm volatile(PITH_TWELVE(PITH_OP)::: PITH_CLOBBER);
#undef PITH_OP
  return 12.0 * 64 * kTurns;
}
double dot_run_ymm(Cpu cpu) {
  if (!cpu.has(Cpu::avx512vnni) && !cpu.has(Cpu::avxvnni)) return 0;
  if (cpu.has(Cpu::avx512vnni)) {
#define PITH_OP(n) "vpdpbusd %%ymm14, %%ymm13, %%ymm" n "\n"
    for (int i = 0; i < kTurns; ++i) asm volatile(PITH_TWELVE(PITH_OP)::: PITH_CLOBBER);
#undef PITH_OP
  } else {
#define PITH_OP(n) "%{vex%} vpdpbusd %%ymm14, %%ymm13, %%ymm" n "\n"
    for (int i = 0; i < kTurns; ++i) asm volatile(PITH_TWELVE(PITH_OP)::: PITH_CLOBBER);
#undef PITH_OP
  }
  return 12.0 * 32 * kTurns;
}
double dot_run_words(Cpu cpu) {
  if (!cpu.has(Cpu::avx2)) return 0;
#define PITH_OP(n) "vpmaddwd %%ymm14, %%ymm13, %%ymm12\n vpaddd %%ymm12, %%ymm" n ", %%ymm" n "\n"
  for (int i = 0; i < kTurns; ++i) asm volatile(PITH_TWELVE(PITH_OP)::: PITH_CLOBBER);
#undef PITH_OP
  return 12.0 * 16 * kTurns;
}
double dot_run_avx2(Cpu cpu) {
  if (!cpu.has(Cpu::avx2)) return 0;
#define PITH_OP(n) "vpmaddubsw %%ymm14, %%ymm13, %%ymm12\n vpaddw %%ymm12, %%ymm" n ", %%ymm" n "\n"
  for (int i = 0; i < kTurns; ++i) asm volatile(PITH_TWELVE(PITH_OP)::: PITH_CLOBBER);
#undef PITH_OP
  return 12.0 * 32 * kTurns;
}
#else
void read_all(const uint8_t* bytes, size_t count) {
  uint64_t sum = 0;
  for (size_t i = 0; i < count; i += 64) sum += bytes[i];
  asm volatile("" ::"r"(sum));
}
double dot_run_zmm(Cpu) { return 0; }
double dot_run_ymm(Cpu) { return 0; }
double dot_run_words(Cpu) { return 0; }
double dot_run_avx2(Cpu) { return 0; }
#endif

namespace {

double best_gops(std::initializer_list<double (*)(Cpu)> runs) {
  const auto seconds = [] {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  };
  const Cpu cpu = detect_cpu();
  double best = 0;
  for (const auto run : runs)
    for (int i = 0; i < 50; ++i) {
      const double begin = seconds(), done = run(cpu);
      if (done > 0) best = std::max(best, 2 * done / (seconds() - begin) / 1e9);
    }
  return best;
}

}  // namespace

double dot_peak_gops() { return best_gops({dot_run_zmm, dot_run_ymm, dot_run_words}); }
double nibble_peak_gops() { return best_gops({dot_run_zmm, dot_run_ymm, dot_run_avx2}); }

}  // namespace pith::bench
