// Blocks: elementwise kernels compute in four wide types (float, double, int64, uint64); these functions
// bring up to kBlock elements of any storage type into one of them and back. This keeps the number of
// compiled loops at kinds x 4 instead of kinds x 13, and gives f16, bf16 and quantized 8-bit arithmetic for
// free.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/types.h"

namespace pith::kernels {

inline constexpr size_t kBlock = 256;

enum class Wide : uint8_t { f32, f64, i64, u64 };
// Where arithmetic on a storage type is exact (or, for floats, rounded only once more on the way back).
constexpr Wide wide_of(DType t) {
  if (t == DType::f64) return Wide::f64;
  if (t == DType::u64) return Wide::u64;
  return is_float(t) ? Wide::f32 : Wide::i64;
}

// One dense operand. quantized: the element is scale * (code - zero), and the wide type must be float.
struct Lane {
  void* data = nullptr;  // inputs are only read
  DType dtype = DType::none;
  bool quantized = false;
  float scale = 1;
  int32_t zero = 0;
};

// out[i] = element first + i. Float to integer truncates and saturates at the wide type; NaN gives 0.
template <class W>
void load_block(const Lane& from, size_t first, size_t n, W* out);
// Element first + i = in[i]. Integers wrap; float to integer truncates, saturates at 64 bits, then wraps;
// bool is in[i] != 0; quantized rounds half to even and saturates. For 4-bit types `first` must be even.
template <class W>
void store_block(const W* in, size_t n, const Lane& to, size_t first);

}  // namespace pith::kernels
