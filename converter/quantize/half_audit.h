// What storing a float32 tensor as IEEE half or bfloat16 would do to it: values lost to infinity, to zero, to subnormals.
#pragma once
#include <cstdint>
#include <span>

#include "kernels/base/types.h"

namespace pith::quantize {

struct HalfAudit {
  uint64_t count = 0;
  uint64_t not_finite = 0;         // NaN or infinity already in the source
  uint64_t overflow = 0;           // finite, becomes infinity (f16: magnitude >= 65520)
  uint64_t subnormal = 0;          // becomes subnormal: fewer than 11 (bf16: 8) significant bits
  uint64_t underflow_to_zero = 0;  // non-zero, becomes zero
  double max_relative_error =
      0;  // over values that stay finite and do not vanish; <= 2^-11 (bf16: 2^-8) without subnormals
  double max_abs_error = 0;  // over values that stay finite
  double largest = 0;        // largest finite magnitude of the source

  bool safe() const { return not_finite == 0 && overflow == 0; }
  void merge(const HalfAudit& other);
};

// `type`: f16 or bf16.
HalfAudit audit_half(std::span<const float> values, DType type = DType::f16);

}  // namespace pith::quantize
