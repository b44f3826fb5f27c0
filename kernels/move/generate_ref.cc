// Plain loops of the generating kernels.
#include "kernels/move/generate.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "kernels/base/float16.h"
#include "kernels/move/words.h"

namespace pith::kernels {
namespace {

// Calls f with a zero of the C++ type of a number type.
template <class F>
void with_number(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32:
      return f(float{});
    case DType::f64:
      return f(double{});
    case DType::i8:
      return f(int8_t{});
    case DType::boolean:
    case DType::u8:
      return f(uint8_t{});
    case DType::i16:
      return f(int16_t{});
    case DType::u16:
      return f(uint16_t{});
    case DType::i32:
      return f(int32_t{});
    case DType::u32:
      return f(uint32_t{});
    case DType::i64:
      return f(int64_t{});
    case DType::u64:
      return f(uint64_t{});
    default:
      return;
  }
}

template <class T>
void range_of(const RangeArgs& a, Range r) {
  auto* y = static_cast<T*>(a.y);
  for (size_t i = r.begin; i < r.end; ++i) {
    if constexpr (std::is_floating_point_v<T>)
      y[i] = static_cast<T>(a.start + static_cast<double>(i) * a.delta);
    else
      y[i] = static_cast<T>(static_cast<uint64_t>(a.int_start) + i * static_cast<uint64_t>(a.int_delta));
  }
}

// The row of an index, or depth when there is none.
template <class I>
int64_t row_of(I index, int64_t depth) {
  if constexpr (std::is_floating_point_v<I>) {
    const auto limit = static_cast<I>(0x1p62);
    if (!(index > -limit && index < limit)) return depth;
  }
  if constexpr (std::is_same_v<I, uint64_t>)
    if (index >= static_cast<uint64_t>(depth)) return depth;
  const auto i = static_cast<int64_t>(index);
  const int64_t row = i < 0 ? i + depth : i;
  return row < 0 || row >= depth ? depth : row;
}

template <class T, class I>
void one_hot(const OneHotArgs& a, Range outer) {
  T on, off;
  std::memcpy(&on, a.on, sizeof on);
  std::memcpy(&off, a.off, sizeof off);
  const size_t block = static_cast<size_t>(a.depth) * a.inner;
  const auto* indices = static_cast<const I*>(a.indices);
  for (size_t o = outer.begin; o < outer.end; ++o) {
    T* y = static_cast<T*>(a.y) + o * block;
    std::fill_n(y, block, off);
    for (size_t i = 0; i < a.inner; ++i) {
      const int64_t row = row_of(indices[o * a.inner + i], a.depth);
      if (row < a.depth) y[static_cast<size_t>(row) * a.inner + i] = on;
    }
  }
}

// Calls f(i) for the index of every element that is not zero.
template <class F>
void each_nonzero(const void* x, DType dtype, size_t n, F&& f) {
  with_word(size_of(dtype), [&](auto word) {
    using T = decltype(word);
    const auto* p = static_cast<const T*>(x);
    // The sign of a float zero does not count.
    const T mask = static_cast<T>(is_float(dtype) ? static_cast<T>(~T{0}) >> 1 : static_cast<T>(~T{0}));
    for (size_t i = 0; i < n; ++i)
      if ((p[i] & mask) != 0) f(i);
  });
}

}  // namespace

void range_ref(const RangeArgs& a, Range elements) {
  with_number(a.dtype, [&](auto zero) { range_of<decltype(zero)>(a, elements); });
}

void one_hot_ref(const OneHotArgs& a, Range outer) {
  with_number(a.index_dtype, [&](auto index) {
    with_word(a.element_bytes, [&](auto word) { one_hot<decltype(word), decltype(index)>(a, outer); });
  });
}

void eye_ref(const EyeArgs& a) {
  const size_t bytes = size_of(a.dtype);
  std::memset(a.y, 0, static_cast<size_t>(a.rows * a.columns) * bytes);
  uint8_t one[8] = {};
  with_number(a.dtype, [&](auto zero) {
    const auto value = static_cast<decltype(zero)>(1);
    std::memcpy(one, &value, sizeof value);
  });
  const f16 half = to_f16(1.0f);
  const bf16 brain = to_bf16(1.0f);
  if (a.dtype == DType::f16) std::memcpy(one, &half, sizeof half);
  if (a.dtype == DType::bf16) std::memcpy(one, &brain, sizeof brain);
  auto* y = static_cast<uint8_t*>(a.y);
  const int64_t end = a.k >= a.columns ? 0 : std::min(a.rows, a.columns - a.k);
  for (int64_t i = std::max<int64_t>(0, -a.k); i < end; ++i)
    std::memcpy(y + static_cast<size_t>(i * a.columns + i + a.k) * bytes, one, bytes);
}

size_t count_nonzero_ref(const void* x, DType dtype, size_t n) {
  size_t found = 0;
  each_nonzero(x, dtype, n, [&](size_t) { ++found; });
  return found;
}

void find_nonzero_ref(const void* x, DType dtype, int rank, const int64_t* dims, size_t found,
                      int64_t* places) {
  size_t n = 1, j = 0;
  for (int d = 0; d < rank; ++d) n *= static_cast<size_t>(dims[d]);
  each_nonzero(x, dtype, n, [&](size_t i) {
    if (j == found) return;
    for (int d = rank - 1; d >= 0; --d) {
      const auto length = static_cast<size_t>(dims[d]);
      places[static_cast<size_t>(d) * found + j] = static_cast<int64_t>(i % length);
      i /= length;
    }
    ++j;
  });
}

}  // namespace pith::kernels
