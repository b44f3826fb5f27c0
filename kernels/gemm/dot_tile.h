// The inner loops that matrix products and convolutions share. Plain vector extensions of GCC and clang: four
// lanes that become SSE, NEON or scalar code; the order of additions is the same on every target.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/base/float16.h"

namespace pith::kernels {

template <class T>
using Lanes [[gnu::vector_size(16)]] = T;

template <class T>
constexpr size_t kLanes = 16 / sizeof(T);

template <class T>
inline Lanes<T> load_lanes(const T* p) {
  Lanes<T> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
// The first n < kLanes elements, then zeros.
template <class T>
inline Lanes<T> load_first(const T* p, size_t n) {
  T part[kLanes<T>] = {};
  for (size_t i = 0; i < n; ++i) part[i] = p[i];
  return load_lanes(part);
}
template <class T, class V>  // V: Lanes<T>
inline void store_lanes(T* p, V v) {
  std::memcpy(p, &v, sizeof v);
}

// acc[p][r] += sum over i < n of x[p][i] * w[r][i], lane l taking the i with i % 4 == l.
template <int P, int R>
inline void dot_tile(const float* const (&x)[P], const float* const (&w)[R], size_t n,
                     Lanes<float> (&acc)[P][R]) {
  size_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (int p = 0; p < P; ++p) {
      const Lanes<float> xv = load_lanes(x[p] + i);
      for (int r = 0; r < R; ++r) acc[p][r] += xv * load_lanes(w[r] + i);
    }
  if (i == n) return;
  for (int p = 0; p < P; ++p) {
    const Lanes<float> xv = load_first(x[p] + i, n - i);
    for (int r = 0; r < R; ++r) acc[p][r] += xv * load_first(w[r] + i, n - i);
  }
}

inline float sum_lanes(Lanes<float> v) { return (v[0] + v[2]) + (v[1] + v[3]); }

// Exact sum of (x[i] - x_zero) * (w[i] - w_zero). Codes and zeros fit 8 bits, so a difference fits 16 and a
// product of two fits 17 bits; the sum fits i32 for n <= 2^14 * 2 and wraps, as ONNX says, beyond.
template <class X, class W>
inline int32_t dot_codes(const X* x, const W* w, size_t n, int32_t x_zero, int32_t w_zero) {
  const auto xz = static_cast<int16_t>(x_zero), wz = static_cast<int16_t>(w_zero);
  uint32_t sum = 0;  // unsigned: wrapping is defined
  for (size_t i = 0; i < n; ++i) {
    const auto a = static_cast<int16_t>(x[i] - xz), b = static_cast<int16_t>(w[i] - wz);
    sum += static_cast<uint32_t>(int32_t{a} * int32_t{b});
  }
  return static_cast<int32_t>(sum);
}

// Exact for every half, subnormals, infinities and NaN included; branch-free, so the loop vectorizes.
inline void widen_halves(const f16* from, float* to, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const uint32_t h = from[i].bits;
    const uint32_t shifted = (h & 0x7fffu) << 13;
    // The exponent bias differs by 112: one exact multiplication moves it, subnormals too.
    const float scaled = std::bit_cast<float>(shifted) * 0x1p112f;
    const uint32_t special = std::bit_cast<uint32_t>(scaled) | 0x7f800000u;
    const uint32_t magnitude = shifted >= 0x0f800000u ? special : std::bit_cast<uint32_t>(scaled);
    to[i] = std::bit_cast<float>(magnitude | (h & 0x8000u) << 16);
  }
}
inline void widen_halves(const bf16* from, float* to, size_t n) {
  for (size_t i = 0; i < n; ++i) to[i] = to_float(from[i]);
}

}  // namespace pith::kernels
