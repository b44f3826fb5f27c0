// One line that names the processor, for measurements that hold for it alone.
#pragma once
#include <cstddef>

#include "kernels/base/cpu.h"

namespace pith {

inline constexpr size_t kCpuIdentityBytes = 256;
// "AMD EPYC 9R14 x 2, features 1f": name, processors, usable bits of Cpu, and "capped" when PITH_ISA is set. Printable ASCII.
void cpu_identity(Cpu cpu, char (&out)[kCpuIdentityBytes]);

}  // namespace pith
