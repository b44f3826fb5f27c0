// Blends in plain loops, and the choice of a kernel.
#include <algorithm>
#include <cmath>

#include "kernels/resize/blend_codes.h"

namespace pith::kernels {

#define KERNEL(name, needs)                                                                                  \
  void blend_to_floats_##name(const uint8_t* a, const uint8_t* b, BlendWeights w, float* y, size_t n, bool); \
  void blend_to_codes_##name(const float* a, const float* b, BlendWeights w, uint8_t* y, size_t n, bool);
#include "kernels/resize/blend_codes_list.inc"
#undef KERNEL

void blend_to_floats_ref(const uint8_t* a, const uint8_t* b, BlendWeights w, float* y, size_t n,
                         bool is_signed) {
  const auto real = [=](uint8_t code) {
    return static_cast<float>(is_signed ? int{static_cast<int8_t>(code)} : int{code});
  };
  for (size_t i = 0; i < n; ++i) {
    const float first = w.a * real(a[i]), second = w.b * real(b[i]);
    y[i] = first + second;
  }
}

void blend_to_codes_ref(const float* a, const float* b, BlendWeights w, uint8_t* y, size_t n,
                        bool is_signed) {
  const float low = is_signed ? -128.0f : 0.0f, high = low + 255.0f;
  for (size_t i = 0; i < n; ++i) {
    const float first = w.a * a[i], second = w.b * b[i];
    y[i] = static_cast<uint8_t>(static_cast<int>(std::nearbyint(std::clamp(first + second, low, high))));
  }
}

BlendCodesKernels blend_codes_kernels() {
  static constexpr BlendCodesKernel kAll[] = {
#define KERNEL(name, needs) {#name, blend_to_floats_##name, blend_to_codes_##name, needs},
#include "kernels/resize/blend_codes_list.inc"
#undef KERNEL
  };
  return {kAll, sizeof kAll / sizeof *kAll};
}

const BlendCodesKernel& select_blend_codes(Cpu cpu) { return best_of(blend_codes_kernels(), cpu); }

}  // namespace pith::kernels
