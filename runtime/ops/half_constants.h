// Weights of products stored in 16 bits, IEEE halves or bfloat16, and their widening to the floats that are computed with.
#pragma once
#include "kernels/gemm/dot_tile.h"
#include "runtime/ops/op.h"

namespace pith {

inline bool has_half_weights(const NodeView& node) {
  return node.in(1).dtype == DType::f16 || node.in(1).dtype == DType::bf16;
}

// Exact. `to`: w.count() floats.
inline void widen_weights(const TensorView& w, float* to) {
  const auto n = static_cast<size_t>(w.count());
  if (w.dtype == DType::f16) return kernels::widen_halves(w.as<f16>(), to, n);
  kernels::widen_halves(w.as<bf16>(), to, n);
}

}  // namespace pith
