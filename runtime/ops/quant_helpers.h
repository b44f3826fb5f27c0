// Quantized tensors as the elementwise operators see them: lanes for kernels and the checks before that.
#pragma once
#include "kernels/elementwise/block.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {

// Data, type and, for quantized tensors, scale and zero point.
kernels::Lane lane_of(const TensorView& t);
// The tensor's one scale and zero point; only after expect_codes.
float scale_of(const TensorView& t);
int32_t zero_point_of(const TensorView& t);

// Ok when t is i8 or u8 with one finite positive scale and a zero point inside its type. `what` names it in
// the message.
Status expect_codes(const NodeView& node, const TensorView& t, const char* what);
// Both unquantized, or the same scales, zero points and axis.
bool same_quant(const QuantView& a, const QuantView& b);

}  // namespace pith
