// Float functions of rows, written once over an ISA's vectors (float_vectors.h). Included by ISA files only.
#pragma once
#include "kernels/base/float_vectors.h"
#include "kernels/base/vector_math.h"
#include "kernels/rows/float_rows.h"

namespace pith::kernels {
namespace {

template <class V>
struct FloatRows {
  using F = typename V::F;
  static constexpr size_t kLanes = V::kLanes, kVecs = 16 / kLanes;

  // The first n < 16 elements, then `filler`.
  struct Tail {
    alignas(64) float x[16];
    PITH_INLINE Tail(const float* from, size_t n, float filler) {
      for (size_t i = 0; i < 16; ++i) x[i] = i < n ? from[i] : filler;
    }
  };
  PITH_INLINE static void copy_out(const float* from, float* to, size_t n) {
    for (size_t i = 0; i < n; ++i) to[i] = from[i];
  }

  // Sums of f(vector, index of its first element) in 16 lanes; behind n x reads as `filler`.
  template <class Fn, size_t... u>
  PITH_INLINE static float sum_over(const float* x, size_t n, float filler, const Fn& f, Indices<u...>) {
    F sums[kVecs] = {((void)u, V::zero())...};
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
      ((sums[u] = V::add(sums[u], f(V::load(x + i + u * kLanes), i + u * kLanes))), ...);
    if (i < n) {
      const Tail tail(x + i, n - i, filler);
      ((sums[u] = V::add(sums[u], f(V::load(tail.x + u * kLanes), i + u * kLanes))), ...);
    }
    alignas(64) float lanes[16];
    (V::store(lanes + u * kLanes, sums[u]), ...);
    return sum_of_16(lanes);
  }
  // y[i] = f(x[i], scale, bias), vector by vector; steps of scale and bias are 0 or 1.
  template <class Fn>
  PITH_INLINE static void map(const LayerNormArgs& a, const float* x, float* y, const Fn& f) {
    size_t i = 0;
    const auto take = [](const float* p, size_t step, size_t at) __attribute__((always_inline)) {
      return step == 0 ? V::splat(p[0]) : V::load(p + at);
    };
    for (; i + kLanes <= a.n; i += kLanes)
      V::store(y + i, f(V::load(x + i), take(a.scale, a.scale_step, i),
                        a.bias == nullptr ? V::zero() : take(a.bias, a.bias_step, i)));
    if (i == a.n) return;
    const size_t left = a.n - i;
    const Tail part(x + i, left, 0),
        scale(a.scale + i * a.scale_step, a.scale_step == 0 ? 1 : left, a.scale[0]);
    Tail bias(x, 0, 0);
    if (a.bias != nullptr)
      for (size_t k = 0; k < left; ++k) bias.x[k] = a.bias[(i + k) * a.bias_step];
    Tail out(x, 0, 0);
    V::store(out.x, f(V::load(part.x), V::load(scale.x), V::load(bias.x)));
    copy_out(out.x, y + i, left);
  }

  static void layer_norm(const LayerNormArgs& a, Range rows) {
    for (size_t r = rows.begin; r < rows.end; ++r) {
      const float* x = a.x + r * a.n;
      const auto count = static_cast<float>(a.n);
      const float mean = sum_over(
                             x, a.n, 0, [](F v, size_t) { return v; }, IndicesTo<kVecs>{}) /
                         count;
      const F m = V::splat(mean);
      const auto square = [m](F v, size_t) __attribute__((always_inline)) {
        const F d = V::sub(v, m);
        return V::mul(d, d);
      };
      const float squares = sum_over(x, a.n, mean, square, IndicesTo<kVecs>{});
      const float factor = 1 / __builtin_sqrtf(squares / count + a.epsilon);
      if (a.mean != nullptr) a.mean[r] = mean;
      if (a.inv_std != nullptr) a.inv_std[r] = factor;
      const F by = V::splat(factor);
      const bool biased = a.bias != nullptr;
      map(
          a, x, a.y + r * a.n, [ m, by, biased ](F v, F scale, F bias) __attribute__((always_inline)) {
            const F scaled = V::mul(V::mul(V::sub(v, m), by), scale);
            return biased ? V::add(scaled, bias) : scaled;
          });
    }
  }

  static void rms_norm(const LayerNormArgs& a, Range rows) {
    LayerNormArgs bare = a;
    bare.bias = nullptr;
    for (size_t r = rows.begin; r < rows.end; ++r) {
      const float* x = a.x + r * a.n;
      const auto square = [](F v, size_t) __attribute__((always_inline)) { return V::mul(v, v); };
      const float squares = sum_over(x, a.n, 0, square, IndicesTo<kVecs>{});
      const float factor = 1 / __builtin_sqrtf(squares / static_cast<float>(a.n) + a.epsilon);
      if (a.inv_std != nullptr) a.inv_std[r] = factor;
      const F by = V::splat(factor);
      map(
          bare, x, a.y + r * a.n, [by](F v, F scale, F) __attribute__((always_inline)) {
            return V::mul(V::mul(v, by), scale);
          });
    }
  }

  static void softmax(const SoftmaxRows& a, Range rows) {
    for (size_t r = rows.begin; r < rows.end; ++r) {
      const float* x = a.x + r * a.n;
      float* y = a.y + r * a.n;
      F most = V::splat(-__builtin_inff());
      size_t i = 0;
      for (; i + kLanes <= a.n; i += kLanes) most = V::larger(V::load(x + i), most);
      const Tail rest(x + i, a.n - i, -__builtin_inff());
      most = V::larger(V::load(rest.x), most);
      const F top = V::splat(V::largest(most));
      const size_t n = a.n;
      const auto exponential = [ top, y, n ](F v, size_t at) __attribute__((always_inline)) {
        const F e = exp_of<V>(V::sub(v, top), kExpLowest);
        if (at + kLanes <= n) {
          V::store(y + at, e);
        } else if (at < n) {
          Tail out(y, 0, 0);
          V::store(out.x, e);
          copy_out(out.x, y + at, n - at);
        }
        return e;
      };
      const float inverse = 1 / sum_over(x, n, -__builtin_inff(), exponential, IndicesTo<kVecs>{});
      const F by = V::splat(inverse);
      for (i = 0; i + kLanes <= n; i += kLanes) V::store(y + i, V::mul(V::load(y + i), by));
      for (; i < n; ++i) y[i] *= inverse;
    }
  }

  static void rotate(const RotateRow& a) {
    size_t i = 0;
    if (!a.interleaved)
      for (; i + kLanes <= a.half; i += kLanes) {
        const F first = V::load(a.x + i), second = V::load(a.x + a.half + i);
        const F c = V::load(a.cosines + i), s = V::load(a.sines + i);
        V::store(a.y + i, V::sub(V::mul(first, c), V::mul(second, s)));
        V::store(a.y + a.half + i, V::add(V::mul(first, s), V::mul(second, c)));
      }
    const size_t step = a.interleaved ? 2 : 1, apart = a.interleaved ? 1 : a.half;
    for (; i < a.half; ++i) {
      const float first = a.x[i * step], second = a.x[i * step + apart];
      a.y[i * step] = first * a.cosines[i] - second * a.sines[i];
      a.y[i * step + apart] = first * a.sines[i] + second * a.cosines[i];
    }
    for (i = 2 * a.half; i < a.size; ++i) a.y[i] = a.x[i];
  }

  static void swiglu(const float* gate, const float* up, float* y, size_t n) {
    const auto one = [](F g, F u) __attribute__((always_inline)) {
      const F e = exp_of<V>(V::sub(V::zero(), V::magnitude(g)), kExpLowest), ones = V::splat(1);
      return V::mul(V::mul(g, V::div(V::positive_or(g, ones, e), V::add(ones, e))), u);
    };
    size_t i = 0;
    for (; i + kLanes <= n; i += kLanes) V::store(y + i, one(V::load(gate + i), V::load(up + i)));
    if (i == n) return;
    const Tail g(gate + i, n - i, 0), u(up + i, n - i, 0);
    Tail out(gate, 0, 0);
    V::store(out.x, one(V::load(g.x), V::load(u.x)));
    copy_out(out.x, y + i, n - i);
  }
};

}  // namespace
}  // namespace pith::kernels
