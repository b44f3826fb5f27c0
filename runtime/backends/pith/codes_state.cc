// Reading grids, weights and biases of quantized nodes.
#include "runtime/backends/pith/codes_state.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "kernels/base/requant.h"
#include "runtime/ops/requant_state.h"

namespace pith {
namespace {

bool usable(float scale) { return scale > 0 && std::isfinite(scale); }

bool read_grid(const TensorView& t, float* scale, int32_t* zero) {
  if (!is_codes(t.dtype) || !t.quant.per_tensor()) return false;
  *scale = t.quant.scales[0];
  *zero = t.quant.zero_points.empty() ? 0 : t.quant.zero_points[0];
  const int32_t lo = t.dtype == DType::i8 ? -128 : 0;
  return usable(*scale) && *zero >= lo && *zero <= lo + 255;
}

// code - zero of its output for every code; false where that is below `lowest` or above 127.
template <class T>
bool recode(const TensorView& w, int lowest, int8_t* out) {
  const QuantView& q = w.quant;
  const auto outputs = static_cast<size_t>(w.shape[0]), each = static_cast<size_t>(w.count()) / outputs;
  const T* from = w.as<T>();
  for (size_t o = 0; o < outputs; ++o) {
    const int32_t zero = q.zero_points.empty() ? 0 : q.zero_points[q.zero_points.size() == 1 ? 0 : o];
    for (size_t i = 0; i < each; ++i) {
      const int32_t code = int32_t{*from++} - zero;
      if (code < lowest || code > 127) return false;
      *out++ = static_cast<int8_t>(code);
    }
  }
  return true;
}

}  // namespace

void FreeBytes::operator()(int8_t* p) const { std::free(p); }

AlignedCodes allocate_codes(size_t bytes) {
  return AlignedCodes(static_cast<int8_t*>(std::aligned_alloc(64, (bytes + 127) / 64 * 64)));
}

Status read_codes_grid(const NodeView& node, float clamp_min, float clamp_max, CodesGrid* g) {
  const TensorView &x = node.in(0), &y = node.out(0);
  int32_t y_zero = 0;
  if (!read_grid(x, &g->x_scale, &g->x_zero) || !read_grid(y, &g->y_scale, &y_zero))
    return leave("input or output are not 8-bit codes with one scale");
  if (!(clamp_min <= clamp_max)) return leave("empty clamp range");
  g->x_is_u8 = x.dtype == DType::u8;
  g->x_signed_zero = g->x_zero - (g->x_is_u8 ? 128 : 0);
  const int32_t shift = y.dtype == DType::u8 ? 128 : 0;
  g->y_flip = y.dtype == DType::u8 ? 0x80 : 0;
  g->y_zero = y_zero - shift;
  g->y_lo = quantize(clamp_min, g->y_scale, g->y_zero, -128, 127);
  g->y_hi = quantize(clamp_max, g->y_scale, g->y_zero, -128, 127);
  return Status::ok();
}

Status read_signed_codes(const NodeView& node, int lowest, SignedCodes* out) {
  const TensorView& w = node.in(1);
  const QuantView& q = w.quant;
  if (!w.has_value || !is_codes(w.dtype) || w.layout != Layout::row_major || q.empty() || q.group != 0)
    return leave("weights are not constant 8-bit codes");
  const auto outputs = static_cast<size_t>(w.shape[0]);
  if (q.scales.size() != 1 && (q.scales.size() != outputs || q.axis != 0))
    return leave("weights are not quantized per output");
  if (!q.zero_points.empty() && q.zero_points.size() != q.scales.size())
    return leave("zero points and scales of the weights differ in number");
  out->scales.resize(outputs);
  for (size_t o = 0; o < outputs; ++o) out->scales[o] = q.scales[q.scales.size() == 1 ? 0 : o];
  if (!std::all_of(out->scales.begin(), out->scales.end(), usable)) return leave("a scale is not usable");
  out->memory = allocate_codes(static_cast<size_t>(w.count()));
  if (out->memory == nullptr) return Status(Code::no_memory, "no memory for weights");
  out->codes = out->memory.get();
  const bool fits = w.dtype == DType::i8 ? recode<int8_t>(w, lowest, out->memory.get())
                                         : recode<uint8_t>(w, lowest, out->memory.get());
  return fits ? Status::ok() : leave("weights hold codes that the kernel for this processor cannot take");
}

Status make_finish(const NodeView& node, const CodesGrid& g, const CodesSums& s, uint8_t flip,
                   CodesFinish* out) {
  const int32_t* bias = nullptr;
  if (node.has(2)) {
    const TensorView& b = node.in(2);
    if (b.dtype != DType::i32 || !b.has_value || b.count() != static_cast<int64_t>(s.outputs))
      return leave("the bias is not a constant of one i32 per output");
    bias = b.as<int32_t>();
  }
  out->start.assign(s.padded, 0);
  out->scale.assign(s.padded, 0);
  const auto zero = static_cast<uint32_t>(g.x_signed_zero + flip);
  for (size_t o = 0; o < s.outputs; ++o) {
    const int32_t b = bias == nullptr ? 0 : bias[o];
    const float scale = requant_scale(g.x_scale, s.w_scales[o], g.y_scale);
    // Kernels convert float(acc) * scale to integers of 32 bits before they clamp.
    const double most =
        std::min(255.0 * 127.0 * static_cast<double>(s.products) + std::abs(static_cast<double>(b)), 0x1p31);
    if (!usable(scale) || most * static_cast<double>(scale) >= 0x1p31) return leave("a scale is too large");
    out->start[o] = static_cast<int32_t>(static_cast<uint32_t>(b) - zero * static_cast<uint32_t>(s.sums[o]));
    out->scale[o] = scale;
  }
  return Status::ok();
}

size_t useful_threads(const ThreadPool* pool, uint64_t multiply_adds, uint64_t per_ns) {
  const size_t threads = pool == nullptr ? 1 : pool->threads();
  const uint64_t worth = multiply_adds / (kShareNs * per_ns);
  return worth >= threads ? threads : std::max<size_t>(static_cast<size_t>(worth), 1);
}

Range share_of(size_t count, size_t unit, size_t parts, size_t index) {
  const size_t units = (count + unit - 1) / unit;
  const auto at = [&](size_t i) { return std::min(count, units * i / parts * unit); };
  return {at(index), at(index + 1)};
}

}  // namespace pith
