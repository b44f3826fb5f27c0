// Plain strided copy, one row of y at a time.
#include "kernels/move/transpose.h"

namespace pith::kernels {
namespace {

template <class T>
void copy_rows(const TransposeArgs& a, Range rows) {
  const int last = a.rank - 1;
  const size_t n = a.y_dims[last], step = a.x_stride[last];
  const auto* x = static_cast<const T*>(a.x);
  auto* y = static_cast<T*>(a.y) + rows.begin * n;
  for (size_t row = rows.begin; row < rows.end; ++row) {
    size_t rest = row, offset = 0;
    for (int d = last - 1; d >= 0; --d) {
      offset += rest % a.y_dims[d] * a.x_stride[d];
      rest /= a.y_dims[d];
    }
    const T* from = x + offset;
    for (size_t i = 0; i < n; ++i) *y++ = from[i * step];
  }
}

}  // namespace

void transpose_ref(const TransposeArgs& a, Range rows) {
  switch (a.element_bytes) {
    case 1:
      return copy_rows<uint8_t>(a, rows);
    case 2:
      return copy_rows<uint16_t>(a, rows);
    case 4:
      return copy_rows<uint32_t>(a, rows);
    default:
      return copy_rows<uint64_t>(a, rows);
  }
}

}  // namespace pith::kernels
