// Shape arithmetic shared by the infer functions; every function propagates kUnknownDim.
#pragma once
#include <cstdint>
#include <vector>

#include "runtime/ops/op.h"

namespace pith {

// Ok when input i exists and its data may be read now; otherwise notes that the planner must provide it and
// returns Code::needs_value. Set output dtypes before calling.
Status need_value(const NodeView& node, size_t i);
// Input i (i64 or i32, any number of elements) as a list. Needs its value. At most kMaxListedValues elements.
inline constexpr int64_t kMaxListedValues = 1 << 16;
Status read_ints(const NodeView& node, size_t i, std::vector<int64_t>* out);
// First element of input i as a number (any numeric type). Needs its value.
Status read_scalar(const NodeView& node, size_t i, double* out);

// axis in [-rank, rank) -> [0, rank); bad_file otherwise.
Status normalize_axis(const NodeView& node, int64_t axis, int rank, int* out);

inline int64_t dim_add(int64_t a, int64_t b) { return a < 0 || b < 0 ? kUnknownDim : a + b; }
inline int64_t dim_mul(int64_t a, int64_t b) {
  int64_t product = 0;
  return a < 0 || b < 0 || __builtin_mul_overflow(a, b, &product) ? kUnknownDim : product;
}
// Numpy broadcasting of two shapes; unknown against n > 1 gives n, unknown against 1 stays unknown.
Status broadcast(const NodeView& node, const Shape& a, const Shape& b, Shape* out);
// Every output gets this dtype and shape.
void set_output(const NodeView& node, size_t i, DType dtype, const Shape& shape);
// "node 'conv1': " for messages, and an error with that context.
Status node_error(const NodeView& node, Code code, const std::string& message);

// Check helpers: number of inputs (min..max, the first `min` must be present) and of outputs.
Status expect_counts(const NodeView& node, size_t min_in, size_t max_in, size_t min_out, size_t max_out);
Status expect_dtype(const NodeView& node, size_t input, std::initializer_list<DType> allowed);

}  // namespace pith
