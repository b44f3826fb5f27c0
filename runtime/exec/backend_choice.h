// The names of the backends.
#pragma once
#include <cstdint>

#include "runtime/base/status.h"

namespace pith {

// automatic: whoever is quickest. A named backend is asked alone; what it leaves falls to the reference.
enum class BackendChoice : uint8_t { automatic, reference, xnnpack, pith };
// "", "auto", "reference", "pith", "xnnpack"; bad_argument otherwise.
Result<BackendChoice> parse_backend(const char* text);
const char* name_of(BackendChoice backend);

}  // namespace pith
