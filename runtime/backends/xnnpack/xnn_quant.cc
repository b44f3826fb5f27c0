// Checks and conversions of quantization parameters.
#include "runtime/backends/xnnpack/xnn_quant.h"

#include <cmath>

#include "kernels/base/requant.h"

namespace pith {
namespace {
bool usable(float scale) { return scale > 0 && std::isnormal(scale); }
}  // namespace

bool read_codes(const TensorView& t, Codes* out) {
  if ((t.dtype != DType::i8 && t.dtype != DType::u8) || !t.quant.per_tensor()) return false;
  out->dtype = t.dtype;
  out->scale = t.quant.scales[0];
  out->zero = t.quant.zero_points.empty() ? 0 : t.quant.zero_points[0];
  out->lo = t.dtype == DType::i8 ? -128 : 0;
  out->hi = t.dtype == DType::i8 ? 127 : 255;
  return usable(out->scale) && out->zero >= out->lo && out->zero <= out->hi;
}

Codes as_signed(Codes c) {
  if (c.dtype == DType::u8) c.zero -= 128, c.lo -= 128, c.hi -= 128;
  c.dtype = DType::i8;
  return c;
}

void shift_unsigned(const NodeView& node, XnnState& state) {
  const TensorView &x = node.in(0), &y = node.out(0);
  state.shift_in = x.dtype == DType::u8 ? static_cast<size_t>(x.count()) : 0;
  state.shift_out = y.dtype == DType::u8 ? static_cast<size_t>(y.count()) : 0;
}

xnn_quantization_params params_of(const Codes& c) { return {c.zero, c.scale}; }

xnn_datatype datatype_of(DType t) {
  switch (t) {
    case DType::f32:
      return xnn_datatype_fp32;
    case DType::f16:
      return xnn_datatype_fp16;
    case DType::i8:
      return xnn_datatype_qint8;
    case DType::u8:
      return xnn_datatype_quint8;
    default:
      return xnn_datatype_invalid;
  }
}

const float* channel_scales(const TensorView& w, int axis, size_t count, PackBuffer& buffer) {
  if (w.dtype != DType::i8 || w.quant.group != 0) return nullptr;
  for (int32_t zero : w.quant.zero_points)
    if (zero != 0) return nullptr;
  for (float scale : w.quant.scales)
    if (!usable(scale)) return nullptr;
  if (w.quant.scales.size() == count && (count == 1 || w.quant.axis == axis)) return w.quant.scales.data();
  if (w.quant.scales.size() != 1) return nullptr;
  auto* repeated = static_cast<float*>(buffer.allocate(count * sizeof(float)));
  for (size_t i = 0; repeated != nullptr && i < count; ++i) repeated[i] = w.quant.scales[0];
  return repeated;
}

bool clamp_codes(const Codes& y, float clamp_min, float clamp_max, CodeRange* out) {
  if (!is_clamp(clamp_min, clamp_max)) return false;
  out->lo = quantize(clamp_min, y.scale, y.zero, y.lo, y.hi);
  out->hi = quantize(clamp_max, y.scale, y.zero, y.lo, y.hi);
  return true;
}

bool is_accumulator_bias(const NodeView& node, size_t input, size_t count) {
  if (!node.has(input)) return true;
  const TensorView& bias = node.in(input);
  return bias.dtype == DType::i32 && bias.has_value && bias.count() == static_cast<int64_t>(count);
}

}  // namespace pith
