// PITH_WIDE_LOOP: the function is compiled twice, for any x86 and for AVX2, and the processor chooses. For loops
// whose lanes have a fixed order: without fused multiply-add (-ffp-contract=off) both give the same bits, one in half the time.
#pragma once
#include <cstddef>
#include <cstring>

// Sanitizers are not ready yet when such functions are resolved.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define PITH_WIDE_LOOP __attribute__((target_clones("avx2", "default")))
#else
#define PITH_WIDE_LOOP
#endif

namespace pith::quantize {

// Four doubles side by side: one register with AVX2, two without.
inline constexpr size_t kWideLanes = 4;
using Wide = double __attribute__((vector_size(kWideLanes * sizeof(double))));
inline constexpr size_t kWideFloats = 8;  // or eight floats
using WideFloats = float __attribute__((vector_size(kWideFloats * sizeof(float))));

#pragma GCC diagnostic ignored \
    "-Wpsabi"  // about calls with such arguments, here and below; these are always inlined
#define PITH_WIDE_INLINE inline __attribute__((always_inline))
PITH_WIDE_INLINE Wide wide_load(const double* p) {
  Wide v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
PITH_WIDE_INLINE WideFloats wide_load(const float* p) {
  WideFloats v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
PITH_WIDE_INLINE void wide_store(const Wide& v, double* p) { std::memcpy(p, &v, sizeof v); }
PITH_WIDE_INLINE void wide_store(const WideFloats& v, float* p) { std::memcpy(p, &v, sizeof v); }
PITH_WIDE_INLINE Wide wide_of(double x) { return Wide{x, x, x, x}; }
PITH_WIDE_INLINE double wide_sum(const Wide& v) { return (v[0] + v[2]) + (v[1] + v[3]); }

}  // namespace pith::quantize
