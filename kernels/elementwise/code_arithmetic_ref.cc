// Plain loops over runs of the broadcast; the two multipliers stay in registers.
#include "kernels/elementwise/code_arithmetic.h"

#include <cmath>

#include "kernels/base/requant.h"

namespace pith::kernels {
namespace {

int32_t clamp_code(int32_t v, const CodeArithmetic& c) { return v < c.lo ? c.lo : v > c.hi ? c.hi : v; }

template <class T>
struct Sum {
  const CodeArithmetic& c;
  T operator()(T a, T b) const {
    const int32_t sum = c.bias + int32_t{a} * c.a_factor + int32_t{b} * c.b_factor;
    return static_cast<T>(clamp_code((sum >> c.shift) + c.y_grid.zero, c));
  }
};
template <class T>
struct Product {
  const CodeArithmetic& c;
  float scale;
  T operator()(T a, T b) const {
    const int32_t product = (int32_t{a} - c.a_grid.zero) * (int32_t{b} - c.b_grid.zero);
    return static_cast<T>(requantize(product, scale, c.y_grid.zero, c.lo, c.hi));
  }
};

template <class T, class F>
void each_code(const CodeArithmetic& c, Range elements, F f) {
  const auto *a = static_cast<const T*>(c.a), *b = static_cast<const T*>(c.b);
  auto* y = static_cast<T*>(c.y);
  const size_t a_step = c.shape.stride[0][c.shape.rank - 1], b_step = c.shape.stride[1][c.shape.rank - 1];
  each_run(c.shape, elements.begin, elements.end, [&](size_t at, const size_t* from, size_t n) {
    const T *p = a + from[0], *q = b + from[1];
    T* out = y + at;
    if (a_step != 0 && b_step != 0)
      for (size_t i = 0; i < n; ++i) out[i] = f(p[i], q[i]);
    else if (a_step != 0)
      for (size_t i = 0; i < n; ++i) out[i] = f(p[i], *q);
    else
      for (size_t i = 0; i < n; ++i) out[i] = f(*p, q[i * b_step]);
  });
}

template <class T>
void run_typed(const CodeArithmetic& c, Range elements) {
  if (c.operation == CodeOperation::product)
    each_code<T>(c, elements, Product<T>{c, requant_scale(c.a_grid.scale, c.b_grid.scale, c.y_grid.scale)});
  else
    each_code<T>(c, elements, Sum<T>{c});
}

}  // namespace

bool make_code_factors(CodeArithmetic* c) {
  if (c->operation == CodeOperation::product) {
    const float scale = requant_scale(c->a_grid.scale, c->b_grid.scale, c->y_grid.scale);
    return scale >= 0x1p-16f && scale < 0x1p+8f;
  }
  const float ra = c->a_grid.scale / c->y_grid.scale, rb = c->b_grid.scale / c->y_grid.scale;
  if (!(ra >= 0x1p-10f && ra < 0x1p+8f && rb >= 0x1p-10f && rb < 0x1p+8f)) return false;
  c->shift = 20 - std::ilogb(ra > rb ? ra : rb);  // 12 .. 30
  c->a_factor = static_cast<int32_t>(std::lrint(std::ldexp(ra, c->shift)));
  c->b_factor = static_cast<int32_t>(std::lrint(std::ldexp(rb, c->shift)));
  if (c->operation == CodeOperation::difference) c->b_factor = -c->b_factor;
  // At most 2^29 + 2 * 255 * 2^21: with both products below 2^31.
  c->bias = (1 << (c->shift - 1)) - c->a_factor * c->a_grid.zero - c->b_factor * c->b_grid.zero;
  return true;
}

void code_arithmetic_ref(const CodeArithmetic& c, Range elements) {
  if (c.is_signed)
    run_typed<int8_t>(c, elements);
  else
    run_typed<uint8_t>(c, elements);
}

}  // namespace pith::kernels
