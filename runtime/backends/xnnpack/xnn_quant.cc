// Checks and conversions of quantization parameters.
#include "runtime/backends/xnnpack/xnn_quant.h"

#include <algorithm>
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

namespace {

// code - zero for every code, or false where that is no i8. Channel of element i: i / inner % zeros.size().
template <class T>
bool recode(const TensorView& w, std::span<const int32_t> zeros, size_t inner, int8_t* out) {
  const auto n = static_cast<size_t>(w.count());
  const auto* from = w.as<T>();
  for (size_t i = 0, channel = 0; i < n; channel = channel + 1 == zeros.size() ? 0 : channel + 1)
    for (const size_t end = i + inner; i < end && i < n; ++i) {
      const int32_t code = int32_t{from[i]} - zeros[channel];
      if (code < -128 || code > 127) return false;
      out[i] = static_cast<int8_t>(code);
    }
  return true;
}

bool read_signed_codes(const TensorView& w, int axis, SignedWeights* out) {
  const QuantView& q = w.quant;
  const bool zero = std::all_of(q.zero_points.begin(), q.zero_points.end(), [](int32_t z) { return z == 0; });
  if (w.dtype == DType::i8 && zero) {
    out->codes = w.as<int8_t>();
    return true;
  }
  if (q.zero_points.size() != q.scales.size()) return false;
  auto* codes = static_cast<int8_t*>(out->code_memory.allocate(static_cast<size_t>(w.count())));
  out->codes = codes;
  const size_t inner =
      q.scales.size() == 1 ? static_cast<size_t>(w.count()) : product(w.shape, axis + 1, w.shape.rank());
  if (codes == nullptr) return false;
  return w.dtype == DType::i8 ? recode<int8_t>(w, q.zero_points, inner, codes)
                              : recode<uint8_t>(w, q.zero_points, inner, codes);
}

}  // namespace

bool read_signed_weights(const TensorView& w, int axis, size_t count, SignedWeights* out) {
  const QuantView& q = w.quant;
  if ((w.dtype != DType::i8 && w.dtype != DType::u8) || q.group != 0 || q.empty()) return false;
  if (q.scales.size() != 1 && (q.scales.size() != count || q.axis != axis)) return false;
  for (float scale : q.scales)
    if (!usable(scale)) return false;
  out->scales = q.scales.data();
  if (q.scales.size() != count) {
    auto* repeated = static_cast<float*>(out->scale_memory.allocate(count * sizeof(float)));
    out->scales = repeated;
    if (repeated == nullptr) return false;
    std::fill_n(repeated, count, q.scales[0]);
  }
  return read_signed_codes(w, axis, out);
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
