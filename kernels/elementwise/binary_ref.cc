// Binary functions: one loop per function, wide type and operand form (both vectors, or one of them a single
// value).
#include "kernels/elementwise/binary.h"

#include <cmath>
#include <limits>
#include <type_traits>

namespace pith::kernels {
namespace {

// n results; a step of 0 repeats the first element.
template <class T>
using Loop = void (*)(const T* a, size_t a_step, const T* b, size_t b_step, T* y, size_t n);

template <class T, class F>
void map(const T* a, size_t a_step, const T* b, size_t b_step, T* y, size_t n, F f) {
  if (a_step == 1 && b_step == 1) {
    for (size_t i = 0; i < n; ++i) y[i] = f(a[i], b[i]);
  } else if (a_step == 1) {
    const T q = b[0];
    for (size_t i = 0; i < n; ++i) y[i] = f(a[i], q);
  } else if (b_step == 1) {
    const T p = a[0];
    for (size_t i = 0; i < n; ++i) y[i] = f(p, b[i]);
  } else {
    const T v = f(a[0], b[0]);
    for (size_t i = 0; i < n; ++i) y[i] = v;
  }
}

template <class T>
T floored_mod(T p, T q) {
  const T r = std::fmod(p, q);
  return r != 0 && (r < 0) != (q < 0) ? r + q : r;
}
template <class T>
T slope_times(T p, T q) {
  return p * q;
}

#define FLOAT_BINARY(name, steps, formula)                                                 \
  template <class T>                                                                       \
  void loop_##name(const T* a, size_t a_step, const T* b, size_t b_step, T* y, size_t n) { \
    map(a, a_step, b, b_step, y, n, [](T p, T q) -> T { return formula; });                \
  }
#define OTHER_BINARY(name)
#include "kernels/elementwise/binary_list.inc"
#undef FLOAT_BINARY
#undef OTHER_BINARY

template <class T>
Loop<T> float_loop(BinaryKind kind) {
  static constexpr Loop<T> kLoops[] = {
#define FLOAT_BINARY(name, steps, formula) loop_##name<T>,
#define OTHER_BINARY(name) nullptr,
#include "kernels/elementwise/binary_list.inc"
#undef FLOAT_BINARY
#undef OTHER_BINARY
  };
  return kLoops[static_cast<size_t>(kind)];
}

// Integer functions: W is int64 or uint64; sums and products wrap, so the low bits suit every narrower type.
template <class W>
constexpr W wrapped(uint64_t v) {
  return static_cast<W>(v);
}
template <class W>
W quotient(W p, W q) {
  if (q == 0) return 0;
  if (std::is_signed_v<W> && q == W(-1)) return wrapped<W>(0 - static_cast<uint64_t>(p));
  return p / q;
}
template <class W>
W remainder(W p, W q) {
  return q == 0 || (std::is_signed_v<W> && q == W(-1)) ? 0 : p % q;
}
template <class W>
W floored(W p, W q) {
  const W r = remainder(p, q);
  return std::is_signed_v<W> && r != 0 && (r < 0) != (q < 0) ? r + q : r;
}
// p to the power q by squaring; a negative q truncates 1 / p^|q| to 0 except for p = 1 and -1.
template <class W>
W power(W p, W q) {
  if (std::is_signed_v<W> && q < 0) {
    if (p == 1) return 1;
    return p == W(-1) ? (q & 1 ? W(-1) : W(1)) : 0;
  }
  uint64_t result = 1, base = static_cast<uint64_t>(p);
  for (auto e = static_cast<uint64_t>(q); e != 0; e >>= 1, base *= base)
    if (e & 1) result *= base;
  return wrapped<W>(result);
}

template <class W>
struct IntegerCall {  // the arguments of map, without f
  const W *a, *b;
  size_t a_step, b_step;
  W* y;
  size_t n;
  template <class F>
  void with(F f) const {
    map(a, a_step, b, b_step, y, n, f);
  }
};

template <class W>
void compare(BinaryKind kind, const IntegerCall<W>& c) {
  switch (kind) {
    case BinaryKind::equal:
      return c.with([](W p, W q) { return W(p == q); });
    case BinaryKind::less:
      return c.with([](W p, W q) { return W(p < q); });
    case BinaryKind::less_equal:
      return c.with([](W p, W q) { return W(p <= q); });
    case BinaryKind::greater:
      return c.with([](W p, W q) { return W(p > q); });
    default:
      return c.with([](W p, W q) { return W(p >= q); });
  }
}

template <class W>
void bits(BinaryKind kind, const IntegerCall<W>& c) {
  switch (kind) {
    case BinaryKind::logical_and:
      return c.with([](W p, W q) { return W(p != 0 && q != 0); });
    case BinaryKind::logical_or:
      return c.with([](W p, W q) { return W(p != 0 || q != 0); });
    case BinaryKind::logical_xor:
      return c.with([](W p, W q) { return W((p != 0) != (q != 0)); });
    case BinaryKind::bitwise_and:
      return c.with([](W p, W q) { return W(p & q); });
    case BinaryKind::bitwise_or:
      return c.with([](W p, W q) { return W(p | q); });
    case BinaryKind::bitwise_xor:
      return c.with([](W p, W q) { return W(p ^ q); });
    case BinaryKind::shift_left:
      return c.with(
          [](W p, W q) { return q < 0 || q > 63 ? W(0) : wrapped<W>(static_cast<uint64_t>(p) << q); });
    default:
      return c.with([](W p, W q) { return q < 0 || q > 63 ? W(0) : W(p >> q); });
  }
}

template <class W>
void arithmetic(BinaryKind kind, const IntegerCall<W>& c) {
  using U = uint64_t;
  switch (kind) {
    case BinaryKind::add:
      return c.with([](W p, W q) { return wrapped<W>(static_cast<U>(p) + static_cast<U>(q)); });
    case BinaryKind::sub:
      return c.with([](W p, W q) { return wrapped<W>(static_cast<U>(p) - static_cast<U>(q)); });
    case BinaryKind::mul:
      return c.with([](W p, W q) { return wrapped<W>(static_cast<U>(p) * static_cast<U>(q)); });
    case BinaryKind::div:
      return c.with(quotient<W>);
    case BinaryKind::pow:
      return c.with(power<W>);
    case BinaryKind::min:
      return c.with([](W p, W q) { return p < q ? p : q; });
    case BinaryKind::max:
      return c.with([](W p, W q) { return p > q ? p : q; });
    case BinaryKind::mod:
      return c.with(floored<W>);
    case BinaryKind::fmod:
      return c.with(remainder<W>);
    default:  // prelu
      return c.with([](W p, W q) { return p < 0 ? wrapped<W>(static_cast<U>(p) * static_cast<U>(q)) : p; });
  }
}

template <class W>
void integer_loop(BinaryKind kind, const IntegerCall<W>& c) {
  if (is_comparison(kind)) return compare(kind, c);
  if (kind >= BinaryKind::logical_and && kind <= BinaryKind::shift_right) return bits(kind, c);
  arithmetic(kind, c);
}

template <class T>
void clamp_block(T* y, size_t n, float low, float high) {
  const T lo = static_cast<T>(low), hi = static_cast<T>(high);
  for (size_t i = 0; i < n; ++i) {
    const T v = y[i] < lo ? lo : y[i];
    y[i] = v > hi ? hi : v;
  }
}
bool clamps(const BinaryArgs& a) { return a.clamp_min > -INFINITY || a.clamp_max < INFINITY; }

// Both operands go through blocks of W; compute(a, a_step, b, b_step, y, n).
template <class W, class F>
void by_blocks(const BinaryArgs& args, Range elements, F compute) {
  const int last = args.shape.rank - 1;
  const size_t a_step = args.shape.stride[0][last], b_step = args.shape.stride[1][last];
  alignas(64) W a[kBlock], b[kBlock];
  each_run(args.shape, elements.begin, elements.end, [&](size_t y_at, const size_t* at, size_t run) {
    for (size_t done = 0; done < run; done += kBlock) {
      const size_t n = std::min(kBlock, run - done);
      load_block(args.a, at[0] + done * a_step, a_step == 0 ? 1 : n, a);
      load_block(args.b, at[1] + done * b_step, b_step == 0 ? 1 : n, b);
      W* y = a_step == 1 ? a : b_step == 1 ? b : a;
      compute(a, a_step, b, b_step, y, n);
      store_block(y, n, args.y, y_at + done);
    }
  });
}

template <class T>
void float_blocks(const BinaryArgs& args, Range elements) {
  const Loop<T> loop = float_loop<T>(args.kind);
  by_blocks<T>(args, elements, [&](const T* a, size_t a_step, const T* b, size_t b_step, T* y, size_t n) {
    loop(a, a_step, b, b_step, y, n);
    if (clamps(args)) clamp_block(y, n, args.clamp_min, args.clamp_max);
  });
}

template <class W>
void integer_blocks(const BinaryArgs& args, Range elements) {
  by_blocks<W>(args, elements, [&](const W* a, size_t a_step, const W* b, size_t b_step, W* y, size_t n) {
    integer_loop<W>(args.kind, {a, b, a_step, b_step, y, n});
  });
}

// All three in float: no copies.
void direct_f32(const BinaryArgs& args, Range elements) {
  const Loop<float> loop = float_loop<float>(args.kind);
  const int last = args.shape.rank - 1;
  const size_t a_step = args.shape.stride[0][last], b_step = args.shape.stride[1][last];
  const auto* a = static_cast<const float*>(args.a.data);
  const auto* b = static_cast<const float*>(args.b.data);
  auto* y = static_cast<float*>(args.y.data);
  if (!clamps(args))
    return each_run(args.shape, elements.begin, elements.end, [&](size_t y_at, const size_t* at, size_t n) {
      loop(a + at[0], a_step, b + at[1], b_step, y + y_at, n);
    });
  each_run(args.shape, elements.begin, elements.end, [&](size_t y_at, const size_t* at, size_t run) {
    for (size_t done = 0; done < run; done += kBlock) {  // clamp while the block is in the first cache
      const size_t n = std::min(kBlock, run - done);
      loop(a + at[0] + done * a_step, a_step, b + at[1] + done * b_step, b_step, y + y_at + done, n);
      clamp_block(y + y_at + done, n, args.clamp_min, args.clamp_max);
    }
  });
}

}  // namespace

bool has_binary(BinaryKind kind, DType a, DType b) {
  if (kind >= BinaryKind::kCount || bits_of(a) < 8 || bits_of(b) < 8) return false;
  if (kind == BinaryKind::pow) return a != DType::boolean && b != DType::boolean;
  if (a != b) return false;
  if (is_logical(kind)) return a == DType::boolean;
  if (kind == BinaryKind::equal) return true;
  if (kind >= BinaryKind::bitwise_and && kind <= BinaryKind::shift_right) return is_integer(a);
  return a != DType::boolean;
}

void binary_ref(const BinaryArgs& args, Range elements) {
  const bool all_f32 = args.a.dtype == DType::f32 && args.b.dtype == DType::f32 && args.y.dtype == DType::f32;
  if (all_f32) return direct_f32(args, elements);
  if (args.a.quantized) return float_blocks<float>(args, elements);
  const Wide a = wide_of(args.a.dtype), b = wide_of(args.b.dtype);
  const bool floats = is_float(args.a.dtype) || is_float(args.b.dtype);
  if (floats && (a != b || a == Wide::f64)) return float_blocks<double>(args, elements);
  if (floats) return float_blocks<float>(args, elements);
  if (a == Wide::u64)
    return integer_blocks<uint64_t>(args, elements);  // u64 ^ signed: as u64, bits are the same
  integer_blocks<int64_t>(args, elements);
}

}  // namespace pith::kernels
