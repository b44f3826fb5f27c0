// Runs of code arithmetic (code_arithmetic.h) on vectors, written once. For ISA files.
//
// Codes become 16-bit words a, b (u8 ones minus 128). A sum multiplies pairs (a, b) by pairs of factors, which have 22 bits and
// so go in two parts: f = 2^12 high + low. All of it is exact modulo 2^32, as the reference's sum is exact.
//
// V gives kWords and, on vectors I of as many words or half as many i32, unless said otherwise:
//   load(bytes, flip), splat(byte, flip)     words of (code ^ flip) as i8
//   set_words(even, odd), set16, set32, set_f
//   low(a, b), high(a, b)                    words of a and b in turn, within 128-bit lanes
//   madd(a, b)                               i32 sums of products of neighbouring words
//   add32, sub16, shift_left12, shift_right(v, count)
//   scaled(i32, F)                           i32 of v * scale, rounded half to even
//   pack(low, high)                          words of what low() and high() were made from, saturated
//   add16                                    saturated
//   clamp16(v, lo, hi), store(bytes, v, flip)   bytes of words
#pragma once
#include "kernels/elementwise/code_runs.h"

namespace pith::kernels {
namespace {

struct RunZeros {  // of i8 codes
  int32_t a, b, y, lo, hi;
  uint8_t flip;
};
inline RunZeros run_zeros(const CodeArithmetic& c) {
  const int32_t shift = c.is_signed ? 0 : 128;
  return {c.a_grid.zero - shift, c.b_grid.zero - shift, c.y_grid.zero - shift,
          c.lo - shift,          c.hi - shift,          static_cast<uint8_t>(c.is_signed ? 0 : 0x80)};
}

template <class V>
struct SumOfCodes {
  using I = typename V::I;
  I low_factors, high_factors, bias;
  int shift;

  explicit SumOfCodes(const CodeArithmetic& c) : shift(c.shift) {
    const auto low = [](int32_t f) { return static_cast<int16_t>(f & 0xfff); };
    const auto high = [](int32_t f) { return static_cast<int16_t>(f >> 12); };
    low_factors = V::set_words(low(c.a_factor), low(c.b_factor));
    high_factors = V::set_words(high(c.a_factor), high(c.b_factor));
    const uint32_t moved = c.is_signed ? 0 : 128;
    const auto factors = static_cast<uint32_t>(c.a_factor) + static_cast<uint32_t>(c.b_factor);
    bias = V::set32(static_cast<int32_t>(static_cast<uint32_t>(c.bias) + moved * factors));
  }
  [[gnu::always_inline]] I half(I pairs) const {
    const I high = V::shift_left12(V::madd(pairs, high_factors));
    return V::shift_right(V::add32(V::add32(V::madd(pairs, low_factors), bias), high), shift);
  }
  [[gnu::always_inline]] I words(I a, I b) const { return V::pack(half(V::low(a, b)), half(V::high(a, b))); }
};

template <class V>
struct ProductOfCodes {
  using I = typename V::I;
  I a_zero, b_zero;
  typename V::F scale;

  explicit ProductOfCodes(const CodeArithmetic& c, float s) {
    const RunZeros z = run_zeros(c);
    a_zero = V::set16(z.a), b_zero = V::set16(z.b);
    scale = V::set_f(s);
  }
  [[gnu::always_inline]] I words(I a, I b) const {
    const I p = V::sub16(a, a_zero), q = V::sub16(b, b_zero), none = V::set16(0);
    return V::pack(V::scaled(V::madd(V::low(p, none), V::low(q, none)), scale),
                   V::scaled(V::madd(V::high(p, none), V::high(q, none)), scale));
  }
};

template <class V, class Operation>
void run_of_codes(const CodeArithmetic& c, const CodeRun& r, const Operation& op) {
  using I = typename V::I;
  const RunZeros z = run_zeros(c);
  const I y_zero = V::set16(z.y), lo = V::set16(z.lo), hi = V::set16(z.hi);
  const auto finish = [&](uint8_t* y, I a, I b) {
    V::store(y, V::clamp16(V::add16(op.words(a, b), y_zero), lo, hi), z.flip);
  };
  const I a_splat = V::splat(r.a[0], z.flip), b_splat = V::splat(r.b[0], z.flip);
  size_t i = 0;
  for (; i + V::kWords <= r.n; i += V::kWords)
    finish(r.y + i, r.a_step != 0 ? V::load(r.a + i, z.flip) : a_splat,
           r.b_step != 0 ? V::load(r.b + i, z.flip) : b_splat);
  if (i == r.n) return;
  uint8_t a[V::kWords] = {}, b[V::kWords] = {}, y[V::kWords];
  for (size_t k = 0; k < r.n - i; ++k) {
    a[k] = r.a[(i + k) * r.a_step];
    b[k] = r.b[(i + k) * r.b_step];
  }
  finish(y, V::load(a, z.flip), V::load(b, z.flip));
  for (size_t k = 0; k < r.n - i; ++k) r.y[i + k] = y[k];
}

template <class V>
void run_codes(const CodeArithmetic& c, const CodeRun& r) {
  if (c.operation == CodeOperation::product)
    run_of_codes<V>(c, r, ProductOfCodes<V>(c, r.scale));
  else
    run_of_codes<V>(c, r, SumOfCodes<V>(c));
}

}  // namespace
}  // namespace pith::kernels
