// Shapes of batched matrix products, shared by MatMul and MatMulInteger.
#pragma once
#include "kernels/gemm/matmul.h"
#include "runtime/ops/op.h"

namespace pith {

// Sets the shape of output 0 from inputs 0 and 1; its dtype must be set.
Status infer_matmul(const NodeView& node, bool transpose_b);
// Inferred node, data bound. Rows of a against one common b become one large matrix.
kernels::MatMulArgs matmul_args(const NodeView& node, bool transpose_b);

}  // namespace pith
