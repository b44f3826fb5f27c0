// Gather, GatherND, GatherElements: index, clamp, copy.
#include "kernels/move/gather.h"

#include <cstring>

namespace pith::kernels {
namespace {

// Copies one block; the common single elements without a call.
inline void copy_block(uint8_t* y, const uint8_t* x, size_t bytes) {
  switch (bytes) {
    case 4:
      std::memcpy(y, x, 4);
      return;
    case 8:
      std::memcpy(y, x, 8);
      return;
    case 1:
      *y = *x;
      return;
    default:
      std::memcpy(y, x, bytes);
  }
}

template <class T>
void gather_elements(const GatherElementsArgs& a, Range rows) {
  const int last = a.rank - 1;
  const size_t n = a.y_dims[last];
  const auto* x = static_cast<const T*>(a.x);
  auto* y = static_cast<T*>(a.y);
  for (size_t row = rows.begin; row < rows.end; ++row) {
    size_t rest = row, base = 0;
    for (int d = last - 1; d >= 0; --d) {
      if (d != a.axis) base += rest % a.y_dims[d] * a.x_stride[d];
      rest /= a.y_dims[d];
    }
    const size_t walk = a.axis == last ? 0 : a.x_stride[last];
    for (size_t j = 0, at = row * n; j < n; ++j, ++at)
      y[at] = x[base + j * walk + static_cast<size_t>(clamp_index(a.indices[at], a.n)) * a.x_stride[a.axis]];
  }
}

}  // namespace

void gather_ref(const GatherArgs& a, Range rows) {
  const auto* x = static_cast<const uint8_t*>(a.x);
  auto* y = static_cast<uint8_t*>(a.y) + rows.begin * a.inner_bytes;
  size_t outer = rows.begin / a.count, k = rows.begin % a.count;
  for (size_t row = rows.begin; row < rows.end; ++row, y += a.inner_bytes) {
    const auto index = static_cast<size_t>(clamp_index(a.indices[k], a.n));
    copy_block(y, x + (outer * static_cast<size_t>(a.n) + index) * a.inner_bytes, a.inner_bytes);
    if (++k == a.count) k = 0, ++outer;
  }
}

void gather_nd_ref(const GatherNdArgs& a, Range rows) {
  const auto* x = static_cast<const uint8_t*>(a.x);
  auto* y = static_cast<uint8_t*>(a.y) + rows.begin * a.inner_bytes;
  for (size_t row = rows.begin; row < rows.end; ++row, y += a.inner_bytes) {
    auto offset = static_cast<int64_t>(row / a.tuples * a.batch_bytes);
    for (int d = 0; d < a.depth; ++d)
      offset +=
          clamp_index(a.indices[row * static_cast<size_t>(a.depth) + static_cast<size_t>(d)], a.dims[d]) *
          a.stride_bytes[d];
    copy_block(y, x + offset, a.inner_bytes);
  }
}

void gather_elements_ref(const GatherElementsArgs& a, Range rows) {
  with_word(a.element_bytes, [&](auto word) { gather_elements<decltype(word)>(a, rows); });
}

}  // namespace pith::kernels
