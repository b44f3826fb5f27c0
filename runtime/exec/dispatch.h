// Chooses who runs a node: each backend is asked in order, the reference last.
#pragma once
#include "runtime/ops/op.h"

namespace pith {

// A named backend is asked alone; what it leaves falls to the reference.
enum class BackendChoice { automatic, reference, xnnpack, pith };
// "", "auto", "reference", "pith", "xnnpack"; bad_argument otherwise.
Result<BackendChoice> parse_backend(const char* text);

// Fills *kernel; `reason`, when given, says why the backends before the chosen one did not take the node.
Status choose_kernel(const OpDef& def, const NodeView& node, BackendChoice choice, PrepareContext& context,
                     Kernel* kernel, std::string* reason);

}  // namespace pith
