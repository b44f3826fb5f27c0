// Elements as opaque words: typed access by size, for kernels that move values without looking at them.
#pragma once
#include <cstddef>
#include <cstdint>

namespace pith::kernels {

// Calls f with a zero of the unsigned type of 1, 2, 4 or 8 bytes.
template <class F>
void with_word(size_t bytes, F&& f) {
  switch (bytes) {
    case 1:
      return f(uint8_t{0});
    case 2:
      return f(uint16_t{0});
    case 4:
      return f(uint32_t{0});
    default:
      return f(uint64_t{0});
  }
}

// A list of indices as it lies in a tensor: i64 or i32.
struct IndexView {
  const void* data = nullptr;
  bool wide = true;  // i64
  int64_t operator[](size_t i) const {
    return wide ? static_cast<const int64_t*>(data)[i] : static_cast<const int32_t*>(data)[i];
  }
};

}  // namespace pith::kernels
