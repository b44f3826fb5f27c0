// fold_dequantized: after fuse_qdq, the Dequantize of a constant that no integer operator took becomes the f32 constant.
#include "converter/passes/fold_constants.h"

namespace pith {

Status fold_dequantized(ir::Graph& graph, PassReport& report) { return fold_all(graph, report, true); }

}  // namespace pith
