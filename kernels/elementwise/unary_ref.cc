// Unary functions, one loop per function and wide type.
#include "kernels/elementwise/unary.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "kernels/elementwise/unary_math.h"

namespace pith::kernels {
namespace {

template <class T>
T clamp(T x, T low, T high) {  // high wins when the bounds cross; NaN stays
  const T v = x < low ? low : x;
  return v > high ? high : v;
}
template <class T>
T clamp01(T x) {
  return clamp(x, T(0), T(1));
}

template <class T>
using Loop = void (*)(const T* x, T* y, size_t n, float alpha, float beta);

template <class T>
void loop_logical_not(const T* x, T* y, size_t n, float, float) {
  for (size_t i = 0; i < n; ++i) y[i] = x[i] == 0 ? T(1) : T(0);
}

// Float functions.
template <class T>
void loop_bitwise_not(const T*, T*, size_t, float, float) {}
template <class T>
void loop_is_nan(const T* x, T* y, size_t n, float, float) {
  for (size_t i = 0; i < n; ++i) y[i] = x[i] == x[i] ? T(0) : T(1);
}
template <class T>
void loop_is_inf(const T* x, T* y, size_t n, float alpha, float beta) {
  constexpr T kInf = std::numeric_limits<T>::infinity();
  for (size_t i = 0; i < n; ++i)
    y[i] = (alpha != 0 && x[i] == kInf) || (beta != 0 && x[i] == -kInf) ? T(1) : T(0);
}
#define FLOAT_UNARY(name, steps, formula)                                  \
  template <class T>                                                       \
  void loop_##name(const T* in, T* y, size_t n, float alpha, float beta) { \
    [[maybe_unused]] const T a = static_cast<T>(alpha);                    \
    [[maybe_unused]] const T b = static_cast<T>(beta);                     \
    for (size_t i = 0; i < n; ++i) {                                       \
      const T x = in[i];                                                   \
      y[i] = formula;                                                      \
    }                                                                      \
  }
#define OTHER_UNARY(name)
#include "kernels/elementwise/unary_list.inc"
#undef FLOAT_UNARY
#undef OTHER_UNARY

template <class T>
Loop<T> float_loop(UnaryKind kind) {
  static constexpr Loop<T> kLoops[] = {
#define FLOAT_UNARY(name, steps, formula) loop_##name<T>,
#define OTHER_UNARY(name) loop_##name<T>,
#include "kernels/elementwise/unary_list.inc"
#undef FLOAT_UNARY
#undef OTHER_UNARY
  };
  return kLoops[static_cast<size_t>(kind)];
}

// Integer functions: W is int64 or uint64; arithmetic wraps, so the low bits are right for every narrower
// type.
template <class W, class F>
void map(const W* x, W* y, size_t n, F f) {
  for (size_t i = 0; i < n; ++i) y[i] = f(x[i]);
}
template <class W>
W bound(float v) {  // a float bound as W, saturated
  if (!(v > static_cast<float>(std::numeric_limits<W>::min()))) return std::numeric_limits<W>::min();
  if (v >= static_cast<float>(std::numeric_limits<W>::max())) return std::numeric_limits<W>::max();
  return static_cast<W>(v);
}
template <class W>
void integer_loop(const UnaryArgs& a, const W* x, W* y, size_t n) {
  using U = uint64_t;
  switch (a.kind) {
    case UnaryKind::abs:
      return map(x, y, n, [](W v) { return v < 0 ? static_cast<W>(0 - static_cast<U>(v)) : v; });
    case UnaryKind::neg:
      return map(x, y, n, [](W v) { return static_cast<W>(0 - static_cast<U>(v)); });
    case UnaryKind::sign:
      return map(x, y, n, [](W v) { return static_cast<W>((v > 0) - (v < 0)); });
    case UnaryKind::relu:
      return map(x, y, n, [](W v) { return v < 0 ? W(0) : v; });
    case UnaryKind::clip: {
      const W low = bound<W>(std::ceil(a.alpha)), high = bound<W>(std::floor(a.beta));
      return map(x, y, n, [=](W v) { return clamp(v, low, high); });
    }
    case UnaryKind::bitwise_not:
      return map(x, y, n, [](W v) { return static_cast<W>(~v); });
    default:
      return loop_logical_not(x, y, n, 0, 0);
  }
}

template <class W, class F>
void by_blocks(const UnaryArgs& a, Range elements, F compute) {
  alignas(64) W block[kBlock];
  for (size_t at = elements.begin; at < elements.end; at += kBlock) {
    const size_t n = std::min(kBlock, elements.end - at);
    load_block(a.x, at, n, block);
    compute(block, n);
    store_block(block, n, a.y, at);
  }
}

}  // namespace

bool has_unary(UnaryKind kind, DType dtype) {
  if (kind >= UnaryKind::kCount || bits_of(dtype) < 8) return false;
  if (kind == UnaryKind::logical_not) return true;
  if (is_float(dtype)) return kind != UnaryKind::bitwise_not;
  return is_integer(dtype) &&
         (kind == UnaryKind::abs || kind == UnaryKind::neg || kind == UnaryKind::sign ||
          kind == UnaryKind::relu || kind == UnaryKind::clip || kind == UnaryKind::bitwise_not);
}

void unary_ref(const UnaryArgs& a, Range elements) {
  const Wide wide = a.x.quantized ? Wide::f32 : wide_of(a.x.dtype);
  if (wide == Wide::f32) {
    const Loop<float> loop = float_loop<float>(a.kind);
    if (a.x.dtype == DType::f32 && a.y.dtype == DType::f32)
      return loop(static_cast<const float*>(a.x.data) + elements.begin,
                  static_cast<float*>(a.y.data) + elements.begin, elements.end - elements.begin, a.alpha,
                  a.beta);
    return by_blocks<float>(a, elements, [&](float* v, size_t n) { loop(v, v, n, a.alpha, a.beta); });
  }
  if (wide == Wide::f64) {
    const Loop<double> loop = float_loop<double>(a.kind);
    return by_blocks<double>(a, elements, [&](double* v, size_t n) { loop(v, v, n, a.alpha, a.beta); });
  }
  if (wide == Wide::i64)
    return by_blocks<int64_t>(a, elements, [&](int64_t* v, size_t n) { integer_loop(a, v, v, n); });
  by_blocks<uint64_t>(a, elements, [&](uint64_t* v, size_t n) { integer_loop(a, v, v, n); });
}

double unary_value(UnaryKind kind, double x, double alpha, double beta) {
  [[maybe_unused]] const double a = alpha;
  [[maybe_unused]] const double b = beta;
  using T = double;
  switch (kind) {
#define FLOAT_UNARY(name, steps, formula) \
  case UnaryKind::name:                   \
    return formula;
#define OTHER_UNARY(name)
#include "kernels/elementwise/unary_list.inc"
#undef FLOAT_UNARY
#undef OTHER_UNARY
    default:
      return std::numeric_limits<double>::quiet_NaN();
  }
}

void make_unary_table(const UnaryArgs& a, uint8_t table[256]) {
  const bool x_signed = a.x.dtype == DType::i8;
  const int low = a.y.dtype == DType::i8 ? -128 : 0, high = low + 255;
  for (int byte = 0; byte < 256; ++byte) {
    const int code = x_signed ? static_cast<int8_t>(byte) : byte;
    const double x = static_cast<double>(a.x.scale) * (code - a.x.zero);
    const double y = unary_value(a.kind, x, a.alpha, a.beta) / static_cast<double>(a.y.scale);
    const double rounded = std::nearbyint(y) + a.y.zero;  // NaN (log of a negative code) becomes low
    const double saturated = !(rounded > low) ? low : rounded > high ? high : rounded;
    table[byte] = static_cast<uint8_t>(static_cast<int>(saturated));
  }
}

}  // namespace pith::kernels
