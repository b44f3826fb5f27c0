// Folding of constants, shared by the two passes that do it at different times.
#pragma once
#include "converter/passes/pass.h"

namespace pith {

// dequantize_too: dequantized constants as well.
Status fold_all(ir::Graph& graph, PassReport& report, bool dequantize_too);

}  // namespace pith
