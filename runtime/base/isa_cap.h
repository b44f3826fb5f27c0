// The processor as a session may use it: detected, then capped by the environment variable PITH_ISA.
#pragma once
#include "kernels/base/cpu.h"
#include "runtime/base/status.h"

namespace pith {

// text: null, "" or "auto" (no cap), or a level of kernels/base/cpu.h; bad_argument otherwise.
Result<Cpu> capped_cpu(const char* text);
// The same with the value of PITH_ISA.
Result<Cpu> session_cpu();

}  // namespace pith
