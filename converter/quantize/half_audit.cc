// Audit of a float32 -> float16 cast: see half_audit.h.
#include "converter/quantize/half_audit.h"

#include <algorithm>
#include <cmath>

#include "kernels/base/float16.h"

namespace pith::quantize {

HalfAudit audit_half(std::span<const float> values, DType type) {
  const bool brain = type == DType::bf16;
  const double least_normal = brain ? 0x1p-126 : 0x1p-14;
  HalfAudit a;
  a.count = values.size();
  for (const float v : values) {
    if (!std::isfinite(v)) {
      ++a.not_finite;
      continue;
    }
    const double x = std::fabs(double{v});
    a.largest = std::max(a.largest, x);
    const double stored = std::fabs(double{brain ? to_float(to_bf16(v)) : to_float(to_f16(v))});
    if (std::isinf(stored)) {
      ++a.overflow;
      continue;
    }
    const double error = std::fabs(stored - x);
    a.max_abs_error = std::max(a.max_abs_error, error);
    if (x == 0) continue;
    if (stored == 0) {
      ++a.underflow_to_zero;
      continue;
    }
    if (stored < least_normal) ++a.subnormal;
    a.max_relative_error = std::max(a.max_relative_error, error / x);
  }
  return a;
}

void HalfAudit::merge(const HalfAudit& other) {
  count += other.count;
  not_finite += other.not_finite;
  overflow += other.overflow;
  subnormal += other.subnormal;
  underflow_to_zero += other.underflow_to_zero;
  max_relative_error = std::max(max_relative_error, other.max_relative_error);
  max_abs_error = std::max(max_abs_error, other.max_abs_error);
  largest = std::max(largest, other.largest);
}

}  // namespace pith::quantize
