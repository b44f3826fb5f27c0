// Processor features through cpuinfo, which also knows whether the system saves the wide registers.
#include "kernels/base/cpu.h"

#include <cpuinfo.h>

#include <cstring>

namespace pith {
namespace {

struct Level {
  Isa isa;
  const char* name;
  uint32_t adds;  // bits that become usable from this level on
};

#if defined(__x86_64__) || defined(__i386__)
constexpr Level kLevels[] = {{Isa::scalar, "scalar", Cpu::none},
                             {Isa::avx2, "avx2", Cpu::avx2},
                             {Isa::avxvnni, "avxvnni", Cpu::avxvnni},
                             {Isa::avx512vnni, "avx512vnni", Cpu::avx512vnni | Cpu::gfni | Cpu::vbmi}};
constexpr char kNames[] = "scalar, avx2, avxvnni, avx512vnni";

uint32_t detect() {
  uint32_t bits = Cpu::none;
  if (cpuinfo_has_x86_avx2() && cpuinfo_has_x86_fma3() && cpuinfo_has_x86_f16c()) bits |= Cpu::avx2;
  if ((bits & Cpu::avx2) == 0) return bits;  // the higher levels use it too
  if (cpuinfo_has_x86_avxvnni()) bits |= Cpu::avxvnni;
  const bool wide = cpuinfo_has_x86_avx512f() && cpuinfo_has_x86_avx512bw() && cpuinfo_has_x86_avx512dq() &&
                    cpuinfo_has_x86_avx512vl() && cpuinfo_has_x86_avx512vnni();
  if (!wide) return bits;
  bits |= Cpu::avx512vnni;
  if (cpuinfo_has_x86_gfni()) bits |= Cpu::gfni;
  if (cpuinfo_has_x86_avx512vbmi()) bits |= Cpu::vbmi;
  return bits;
}
#elif defined(__aarch64__) || defined(__arm__)
constexpr Level kLevels[] = {{Isa::scalar, "scalar", Cpu::none},
                             {Isa::neon, "neon", Cpu::neon},
                             {Isa::neondot, "neondot", Cpu::neondot},
                             {Isa::i8mm, "i8mm", Cpu::i8mm}};
constexpr char kNames[] = "scalar, neon, neondot, i8mm";

uint32_t detect() {
  uint32_t bits = Cpu::none;
  if (!cpuinfo_has_arm_neon()) return bits;
  bits |= Cpu::neon;
#if defined(__aarch64__)
  if (cpuinfo_has_arm_neon_dot()) bits |= Cpu::neondot;
  if (cpuinfo_has_arm_neon_dot() && cpuinfo_has_arm_i8mm()) bits |= Cpu::i8mm;
#endif
  return bits;
}
#else
constexpr Level kLevels[] = {{Isa::scalar, "scalar", Cpu::none}};
constexpr char kNames[] = "scalar";
uint32_t detect() { return Cpu::none; }
#endif

}  // namespace

Cpu detect_cpu() {
  if (!cpuinfo_initialize()) return {};
  return {detect(), false};
}

Cpu cap_cpu(Cpu cpu, Isa level) {
  uint32_t allowed = Cpu::none;
  for (const Level& l : kLevels)
    if (l.isa <= level) allowed |= l.adds;
  return {cpu.bits & allowed, true};
}

bool parse_isa(const char* text, Isa* out) {
  for (const Level& l : kLevels) {
    if (std::strcmp(l.name, text) != 0) continue;
    *out = l.isa;
    return true;
  }
  return false;
}

const char* name_of(Isa level) {
  for (const Level& l : kLevels)
    if (l.isa == level) return l.name;
  return "foreign";
}

const char* isa_names() { return kNames; }

Isa best_isa(Cpu cpu) {
  Isa best = Isa::scalar;
  for (const Level& l : kLevels)
    if ((cpu.bits & l.adds) != 0) best = l.isa;
  return best;
}

}  // namespace pith
