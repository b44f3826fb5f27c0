// The matrix [N, K] inside a weight tensor of a packed layout (kernels/base/panel_layout.h).
#pragma once
#include "kernels/base/panel_layout.h"
#include "runtime/ops/op.h"

namespace pith {

// N is the first dim, K the product of the others. Weights of convolutions [O, (kd, kh,) kw, C], rank 3 and more, count each
// kernel row, kw * C, rounded up to 4; codes in between are zero weights. Extents that cannot be are answered as 0, which
// panel_fault() refuses.
inline PanelMatrix panel_matrix_of(Layout layout, uint16_t group, const Shape& shape) {
  PanelMatrix m{layout, group, 0, 0};
  if (!shape.is_known() || shape.rank() < 2) return m;
  uint64_t k = 1;
  for (int d = shape.rank() - 1; d > 0; --d) {
    if (shape[d] <= 0 || static_cast<uint64_t>(shape[d]) > kMaxPanelExtent) return m;
    k *= static_cast<uint64_t>(shape[d]);
    if (shape.rank() > 2 && d == shape.rank() - 2) k = panel_round(k, 4);
    if (k > kMaxPanelExtent) return m;
  }
  m.n = static_cast<uint64_t>(shape[0]);
  m.k = k;
  return m;
}
inline PanelMatrix panel_matrix_of(const TensorView& t) {
  return panel_matrix_of(t.layout, t.group, t.shape);
}

// Bytes a constant has in the file.
inline uint64_t stored_bytes(const TensorView& t) {
  return t.layout == Layout::row_major ? t.byte_size() : panel_matrix_bytes(panel_matrix_of(t));
}

// Which inputs may be packed; every other use of a packed constant is refused when the file is opened.
inline bool reads_panels(schema::Op op, size_t input) {
  return (op == schema::Op::FullyConnectedOptions || op == schema::Op::ConvOptions) && input == 1;
}

}  // namespace pith
