// PITH_ISA is read here and nowhere else.
#include "runtime/base/isa_cap.h"

#include <cstdlib>
#include <cstring>

namespace pith {

Result<Cpu> capped_cpu(const char* text) {
  if (text == nullptr || *text == '\0' || std::strcmp(text, "auto") == 0) return detect_cpu();
  Isa level = Isa::scalar;
  if (!parse_isa(text, &level))
    return Status(
        Code::bad_argument,
        format("PITH_ISA names '%s', which is no level of this processor family: use auto or one of %s", text,
               isa_names()));
  return cap_cpu(detect_cpu(), level);
}

Result<Cpu> session_cpu() { return capped_cpu(std::getenv("PITH_ISA")); }

}  // namespace pith
