// Checks shared by the operators that take indices as data: the Gather and Scatter families.
#pragma once
#include "kernels/move/words.h"
#include "runtime/ops/op.h"

namespace pith {

inline kernels::IndexView index_view(const TensorView& t) { return {t.data, t.dtype == DType::i64}; }

// When input i is known while planning: every index must lie in [-n, n). An axis of length 0 cannot be
// indexed at all, whatever the values are.
Status expect_valid_indices(const NodeView& node, size_t i, int64_t n);

// GatherElements, ScatterElements: indices of the same rank as the data, no larger outside the axis.
Status expect_element_indices(const NodeView& node, size_t data, size_t indices, int64_t axis_option,
                              int* axis);

// GatherND, ScatterND: the last dim of input `indices` holds tuples over dims [batch, batch + depth) of x.
// depth is -1 when it is not known yet.
Status expect_index_tuples(const NodeView& node, size_t indices, const Shape& x, int batch, int* depth);

}  // namespace pith
