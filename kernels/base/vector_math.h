// Functions over the vectors of float_vectors.h. Every instruction set gives the same bits: nothing is fused, sums have 16
// lanes whatever the vectors. Included by ISA files and by the scalar references that define the same.
#pragma once
#include <cstdint>

#include "kernels/base/unroll.h"

namespace pith::kernels {
namespace {

// e^x for x <= 0; 2 ulp; 0 below `lowest` (>= -87.3), NaN stays.
//   x = n ln 2 + r, |r| <= ln 2 / 2 (ln 2 in two parts, the first short enough that n times it is exact); e^r by its series
//   to r^6, whose rest is below 1.2e-7 of it.
inline constexpr float kExpLowest = -87.3f;
inline constexpr float kRounder =
    12582912.0f;  // 1.5 * 2^23: x + kRounder - kRounder is x to the nearest integer
inline constexpr float kLog2E = 1.44269504f, kLn2High = 0.693145752f, kLn2Low = 1.42860677e-6f;

template <class V>
PITH_INLINE typename V::F exp_of(typename V::F x, float lowest) {
  using F = typename V::F;
  const F moved = V::add(V::mul(x, V::splat(kLog2E)), V::splat(kRounder));
  const F n = V::sub(moved, V::splat(kRounder));
  const F r = V::sub(V::sub(x, V::mul(n, V::splat(kLn2High))), V::mul(n, V::splat(kLn2Low)));
  F p = V::add(V::mul(r, V::splat(1.0f / 720)), V::splat(1.0f / 120));
  p = V::add(V::mul(p, r), V::splat(1.0f / 24));
  p = V::add(V::mul(p, r), V::splat(1.0f / 6));
  p = V::add(V::mul(p, r), V::splat(0.5f));
  p = V::add(V::mul(p, V::mul(r, r)), V::add(r, V::splat(1)));
  // NaN would lose its payload bits to the addition of the exponent: adding x keeps it.
  return V::zero_below(V::add(V::scaled(p, V::bits(moved)), V::sub(x, x)), x, V::splat(lowest));
}

// The same for one number.
PITH_INLINE float exp_of_one(float x, float lowest) {
  if (x < lowest) return 0;
  const float moved = x * kLog2E + kRounder, n = moved - kRounder;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  float p = r * (1.0f / 720) + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * (r * r) + (r + 1.0f);
  uint32_t power = 0, bits = 0;
  __builtin_memcpy(&power, &moved, 4);
  __builtin_memcpy(&bits, &p, 4);
  bits += power << 23;
  __builtin_memcpy(&p, &bits, 4);
  return p + (x - x);
}

// Sixteen partial sums in a fixed order.
PITH_INLINE float sum_of_16(const float* s) {
  float a[8];
  for (size_t i = 0; i < 8; ++i) a[i] = s[i] + s[i + 8];
  return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]));
}

}  // namespace
}  // namespace pith::kernels
