// Checks and views of quantized tensors.
#include "runtime/ops/quant_helpers.h"

#include <algorithm>

namespace pith {

float scale_of(const TensorView& t) { return t.quant.scales[0]; }
int32_t zero_point_of(const TensorView& t) {
  return t.quant.zero_points.empty() ? 0 : t.quant.zero_points[0];
}

kernels::Lane lane_of(const TensorView& t) {
  kernels::Lane lane;
  lane.data = t.data;
  lane.dtype = t.dtype;
  lane.quantized = !t.quant.empty();
  if (lane.quantized) {
    lane.scale = scale_of(t);
    lane.zero = zero_point_of(t);
  }
  return lane;
}

Status expect_codes(const NodeView& node, const TensorView& t, const char* what) {
  if (t.quant.empty())
    return node_error(node, Code::bad_file, format("%s '%s' has no scale and zero point", what, t.name));
  if ((t.dtype != DType::i8 && t.dtype != DType::u8) || !t.quant.per_tensor())
    return node_error(
        node, Code::unsupported,
        format("%s '%s' is %s with %zu scales; only i8 and u8 with one scale are supported here", what,
               t.name, name_of(t.dtype), t.quant.scales.size()));
  const float scale = scale_of(t);
  const int32_t low = t.dtype == DType::i8 ? -128 : 0;
  if (!(scale > 0 && scale < 3.4e38f) || zero_point_of(t) < low || zero_point_of(t) > low + 255)
    return node_error(node, Code::bad_file,
                      format("%s '%s' has scale %g and zero point %d, which is no %s quantization", what,
                             t.name, static_cast<double>(scale), zero_point_of(t), name_of(t.dtype)));
  return Status::ok();
}

bool same_quant(const QuantView& a, const QuantView& b) {
  if (a.empty() || b.empty()) return a.empty() == b.empty();
  return std::ranges::equal(a.scales, b.scales) && std::ranges::equal(a.zero_points, b.zero_points) &&
         (a.scales.size() == 1 || a.axis == b.axis) && a.group == b.group;
}

}  // namespace pith
