// Chooses who runs a node: each backend is asked in order, the reference last.
#pragma once
#include "runtime/ops/op.h"

namespace pith {

enum class BackendChoice { automatic, reference, xnnpack };
// "", "auto", "reference", "xnnpack"; bad_argument otherwise.
Result<BackendChoice> parse_backend(const char* text);

// Fills *kernel; `reason`, when given, says why the backends before the chosen one did not take the node.
Status choose_kernel(const OpDef& def, const NodeView& node, BackendChoice choice, PrepareContext& context,
                     Kernel* kernel, std::string* reason);

}  // namespace pith
