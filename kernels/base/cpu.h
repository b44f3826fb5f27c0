// What the processor can do, as bits that rows of kernel lists ask for, and the named levels that cap them.
//
//   const Cpu cpu = cap_cpu(detect_cpu(), Isa::avx2);      // as PITH_ISA=avx2 does
//   if (cpu.has(Cpu::avx2)) ...
//
// Kernels never read the environment: the runtime reads PITH_ISA once per session (runtime/base/isa_cap.h).
#pragma once
#include <cstdint>

namespace pith {

// Levels of one family in rising order; a cap allows its level and those before it.
enum class Isa : uint8_t {
  scalar,
  avx2,        // with FMA3 and F16C
  avxvnni,     // the VEX form: Alder Lake; Zen 4 has only the next one
  avx512vnni,  // with F, BW, VL, DQ
  neon,        // ARMv7 with NEON, ARMv8.0
  neondot,     // 64-bit only
  i8mm,        // 64-bit only
};

struct Cpu {
  enum Bit : uint32_t {
    none = 0,
    avx2 = 1u << 0,
    avxvnni = 1u << 1,
    avx512vnni = 1u << 2,
    gfni = 1u << 3,  // counts only together with avx512vnni
    vbmi = 1u << 4,  // AVX512-VBMI, likewise
    neon = 1u << 8,
    neondot = 1u << 9,
    i8mm = 1u << 10,
  };
  uint32_t bits = none;
  bool capped = false;  // PITH_ISA left something out on purpose

  constexpr bool has(uint32_t need) const { return (bits & need) == need; }
};

// Asks the operating system and the processor; the same answer every time.
Cpu detect_cpu();

// Leaves what the level and those before it may use.
Cpu cap_cpu(Cpu cpu, Isa level);

// "scalar", "avx2", ...; false when the text is no level of this build's processor family.
bool parse_isa(const char* text, Isa* out);
const char* name_of(Isa level);
// The names parse_isa knows, separated by ", ".
const char* isa_names();
// The highest level whose kernels this processor can run.
Isa best_isa(Cpu cpu);

}  // namespace pith
