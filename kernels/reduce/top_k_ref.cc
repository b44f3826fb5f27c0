// TopK by heap selection and heap sort.
#include "kernels/reduce/top_k.h"

#include <utility>

namespace pith::kernels {
namespace {

template <class T>
struct Column {
  const T* x;
  int64_t* heap;
  size_t step;  // elements between neighbours, in x and in heap
  bool largest;

  int64_t& at(size_t i) const { return heap[i * step]; }
  // Element i must stand before element j in the result.
  bool before(int64_t i, int64_t j) const {
    const T p = x[static_cast<size_t>(i) * step], q = x[static_cast<size_t>(j) * step];
    if (p != q) return largest ? p > q : p < q;
    return i < j;
  }
  // Restores the heap (worst at the top) below place i.
  void sift(size_t i, size_t size) const {
    for (size_t child; (child = 2 * i + 1) < size; i = child) {
      if (child + 1 < size && before(at(child), at(child + 1))) ++child;
      if (!before(at(i), at(child))) return;
      std::swap(at(i), at(child));
    }
  }
};

template <class T>
void columns(const TopKArgs& a, Range range) {
  const AxisView& v = a.view;
  for (size_t column = range.begin; column < range.end; ++column) {
    const size_t o = column / v.inner, c = column % v.inner, out = o * a.k * v.inner + c;
    const Column<T> list{static_cast<const T*>(a.x) + o * v.n * v.inner + c, a.indices + out, v.inner,
                         a.largest};
    for (size_t i = 0; i < a.k; ++i) list.at(i) = static_cast<int64_t>(i);
    for (size_t i = a.k / 2; i-- > 0;) list.sift(i, a.k);
    for (size_t i = a.k; i < v.n; ++i) {
      if (!list.before(static_cast<int64_t>(i), list.at(0))) continue;
      list.at(0) = static_cast<int64_t>(i);
      list.sift(0, a.k);
    }
    for (size_t size = a.k; size-- > 1;) {  // the worst goes to the end, again and again
      std::swap(list.at(0), list.at(size));
      list.sift(0, size);
    }
    T* values = static_cast<T*>(a.values) + out;
    for (size_t i = 0; i < a.k; ++i) values[i * v.inner] = list.x[static_cast<size_t>(list.at(i)) * v.inner];
  }
}

}  // namespace

void top_k_ref(const TopKArgs& a, Range range) {
  switch (a.dtype) {
    case DType::f64:
      return columns<double>(a, range);
    case DType::i8:
      return columns<int8_t>(a, range);
    case DType::u8:
      return columns<uint8_t>(a, range);
    case DType::i16:
      return columns<int16_t>(a, range);
    case DType::u16:
      return columns<uint16_t>(a, range);
    case DType::i32:
      return columns<int32_t>(a, range);
    case DType::u32:
      return columns<uint32_t>(a, range);
    case DType::i64:
      return columns<int64_t>(a, range);
    case DType::u64:
      return columns<uint64_t>(a, range);
    default:
      return columns<float>(a, range);
  }
}

}  // namespace pith::kernels
