// Grids of quantized nodes.
#include "runtime/ops/requant_state.h"

#include <cmath>

#include "kernels/base/requant.h"
#include "runtime/ops/infer_helpers.h"

namespace pith {
namespace {
int32_t lowest_code(DType t) { return t == DType::i8 ? -128 : 0; }
int32_t highest_code(DType t) { return t == DType::i8 ? 127 : 255; }
}  // namespace

Status expect_channel_grid(const NodeView& node, const TensorView& t, int axis, const char* role) {
  const QuantView& q = t.quant;
  if (q.empty())
    return node_error(node, Code::bad_file,
                      format("%s '%s' holds %s codes but carries no scale", role, t.name, name_of(t.dtype)));
  if (q.group != 0 || q.zero_points.size() != q.scales.size() || (q.scales.size() > 1 && q.axis != axis))
    return node_error(node, Code::unsupported,
                      format("%s '%s' must be quantized per tensor or along axis %d", role, t.name, axis));
  if (q.scales.size() > 1 && t.shape.has_rank() && axis < t.shape.rank() && t.shape[axis] >= 0 &&
      t.shape[axis] != static_cast<int64_t>(q.scales.size()))
    return node_error(node, Code::bad_file,
                      format("%s '%s' has %lld channels but %zu scales", role, t.name,
                             static_cast<long long>(t.shape[axis]), q.scales.size()));
  for (size_t i = 0; i < q.scales.size(); ++i)
    if (!(q.scales[i] > 0) || !std::isfinite(q.scales[i]) || q.zero_points[i] < lowest_code(t.dtype) ||
        q.zero_points[i] > highest_code(t.dtype))
      return node_error(node, Code::bad_file,
                        format("%s '%s' has scale %g and zero point %d for %s codes", role, t.name,
                               static_cast<double>(q.scales[i]), q.zero_points[i], name_of(t.dtype)));
  return Status::ok();
}

Status expect_tensor_grid(const NodeView& node, const TensorView& t, const char* role) {
  PITH_RETURN_IF_ERROR(expect_channel_grid(node, t, -1, role));
  if (!t.quant.per_tensor())
    return node_error(node, Code::unsupported,
                      format("%s '%s' must have one scale for the whole tensor", role, t.name));
  return Status::ok();
}

DType declared_codes(const NodeView& node, const TensorView& x) {
  return is_codes(node.out(0).dtype) ? node.out(0).dtype : x.dtype;
}

std::unique_ptr<RequantState> RequantState::make(const TensorView& x, const TensorView& weights,
                                                 const TensorView& y, float clamp_min, float clamp_max) {
  auto s = std::make_unique<RequantState>();
  if (weights.layout != Layout::row_major) s->unpacked.unpack(weights);
  const TensorView& w = weights.layout != Layout::row_major ? s->unpacked.view : weights;
  const float y_scale = y.quant.scales[0];
  s->x_zero = x.quant.zero_points[0];
  s->y_zero = y.quant.zero_points[0];
  s->w_zero = w.quant.zero_points;
  for (float w_scale : w.quant.scales) s->scale.push_back(requant_scale(x.quant.scales[0], w_scale, y_scale));
  const int32_t lo = lowest_code(y.dtype), hi = highest_code(y.dtype);
  s->y_lo = quantize(clamp_min, y_scale, s->y_zero, lo, hi);
  s->y_hi = quantize(clamp_max, y_scale, s->y_zero, lo, hi);
  return s;
}

}  // namespace pith
