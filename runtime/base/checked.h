// Overflow-safe arithmetic on sizes that come from files. Every function answers false instead of wrapping.
#pragma once
#include <cstddef>
#include <cstdint>

namespace pith {

template <class T>
[[nodiscard]] bool checked_add(T a, T b, T* out) {
  return !__builtin_add_overflow(a, b, out);
}
template <class T>
[[nodiscard]] bool checked_mul(T a, T b, T* out) {
  return !__builtin_mul_overflow(a, b, out);
}
// [offset, offset + length) lies inside [0, size).
[[nodiscard]] inline bool in_bounds(uint64_t offset, uint64_t length, uint64_t size) {
  return offset <= size && length <= size - offset;
}

}  // namespace pith
