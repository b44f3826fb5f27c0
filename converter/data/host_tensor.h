// HostTensor: a dense row-major tensor in host memory, as files and data sets give it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/base/types.h"

namespace pith::data {

struct HostTensor {
  DType dtype = DType::none;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;  // little endian, product(shape) * size_of(dtype)

  int64_t count() const {
    int64_t n = 1;
    for (int64_t d : shape) n *= d;
    return n;
  }
  // The elements as T; the caller has checked that dtype is T's.
  template <class T>
  std::span<const T> as() const {
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  template <class T>
  std::span<T> as() {
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

// "[1, 3, 224, 224]"; -1 is written "?".
std::string shape_text(std::span<const int64_t> shape);

// Product of the dims times the element size; false when a dim is negative or the product does not fit int64.
[[nodiscard]] bool tensor_bytes(std::span<const int64_t> shape, DType dtype, uint64_t* out);

// Elements as double (exact for every type but i64 and u64 beyond 2^53) and back (round half to even,
// saturating; NaN becomes 0 for integers, boolean is "not 0"). Only whole-byte types: none, i4 and u4 are the
// caller's bug.
void to_doubles(DType dtype, const std::byte* from, size_t count, double* to);
void from_doubles(DType dtype, const double* from, size_t count, std::byte* to);

}  // namespace pith::data
