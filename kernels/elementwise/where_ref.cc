// Where, one loop per element size.
#include "kernels/elementwise/where.h"

namespace pith::kernels {
namespace {

template <class T>
void choose(const WhereArgs& a, Range elements) {
  const int last = a.shape.rank - 1;
  const size_t c_step = a.shape.stride[0][last], p_step = a.shape.stride[1][last],
               q_step = a.shape.stride[2][last];
  const auto *ps = static_cast<const T*>(a.p), *qs = static_cast<const T*>(a.q);
  each_run(a.shape, elements.begin, elements.end, [&](size_t y_at, const size_t* at, size_t n) {
    const uint8_t* c = a.cond + at[0];
    const T *p = ps + at[1], *q = qs + at[2];
    T* y = static_cast<T*>(a.y) + y_at;
    if (c_step == 1 && p_step == 1 && q_step == 1)
      for (size_t i = 0; i < n; ++i) y[i] = c[i] != 0 ? p[i] : q[i];
    else
      for (size_t i = 0; i < n; ++i) y[i] = c[i * c_step] != 0 ? p[i * p_step] : q[i * q_step];
  });
}

}  // namespace

void where_ref(const WhereArgs& a, Range elements) {
  switch (a.element_bytes) {
    case 1:
      return choose<uint8_t>(a, elements);
    case 2:
      return choose<uint16_t>(a, elements);
    case 4:
      return choose<uint32_t>(a, elements);
    default:
      return choose<uint64_t>(a, elements);
  }
}

}  // namespace pith::kernels
