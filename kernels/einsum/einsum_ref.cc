// Einsum, one output element after the other; the innermost summed label is a plain loop.
#include "kernels/einsum/einsum.h"

#include <type_traits>

namespace pith::kernels {
namespace {

// Integers wrap: they are summed as unsigned.
template <class T>
using Sum = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;

template <class T>
Sum<T> inner_sum(const EinsumArgs& a, const size_t* offset, size_t n, int label) {
  const T* x = static_cast<const T*>(a.x[0]) + offset[0];
  const size_t x_step = a.stride[0][label];
  Sum<T> sum = 0;
  if (a.operands == 2) {
    const T* z = static_cast<const T*>(a.x[1]) + offset[1];
    const size_t z_step = a.stride[1][label];
    for (size_t k = 0; k < n; ++k)
      sum += static_cast<Sum<T>>(x[k * x_step]) * static_cast<Sum<T>>(z[k * z_step]);
    return sum;
  }
  for (size_t k = 0; k < n; ++k) {
    auto product = static_cast<Sum<T>>(x[k * x_step]);
    for (int p = 1; p < a.operands; ++p)
      product *= static_cast<Sum<T>>(static_cast<const T*>(a.x[p])[offset[p] + k * a.stride[p][label]]);
    sum += product;
  }
  return sum;
}

// Adds `steps` positions of a label to every operand's offset.
void move(const EinsumArgs& a, size_t* offset, int label, size_t steps) {
  for (int p = 0; p < a.operands; ++p) offset[p] += steps * a.stride[p][label];
}
void move_back(const EinsumArgs& a, size_t* offset, int label, size_t steps) {
  for (int p = 0; p < a.operands; ++p) offset[p] -= steps * a.stride[p][label];
}

template <class T>
Sum<T> element(const EinsumArgs& a, size_t* offset) {
  const int last = a.labels - 1;  // summed, or nothing is
  if (a.labels == a.out_labels) return inner_sum<T>(a, offset, 1, 0);
  size_t at[kEinsumMaxLabels] = {};
  Sum<T> sum = 0;
  for (;;) {
    sum += inner_sum<T>(a, offset, a.dims[last], last);
    int d = last - 1;
    for (; d >= a.out_labels; --d) {
      move(a, offset, d, 1);
      if (++at[d] < a.dims[d]) break;
      move_back(a, offset, d, a.dims[d]);
      at[d] = 0;
    }
    if (d < a.out_labels) return sum;
  }
}

template <class T>
void run(const EinsumArgs& a, Range elements) {
  bool empty = false;
  for (int d = a.out_labels; d < a.labels; ++d) empty |= a.dims[d] == 0;
  auto* y = static_cast<T*>(a.y);
  for (size_t i = elements.begin; i < elements.end; ++i) {
    size_t offset[kEinsumMaxOperands] = {}, rest = i;
    for (int d = a.out_labels - 1; d >= 0; --d) {
      move(a, offset, d, rest % a.dims[d]);
      rest /= a.dims[d];
    }
    y[i] = empty ? T{0} : static_cast<T>(element<T>(a, offset));
  }
}

}  // namespace

void einsum_ref(const EinsumArgs& a, Range elements) {
  switch (a.dtype) {
    case DType::f32:
      return run<float>(a, elements);
    case DType::f64:
      return run<double>(a, elements);
    case DType::i32:
      return run<int32_t>(a, elements);
    default:
      return run<int64_t>(a, elements);
  }
}

}  // namespace pith::kernels
