// Row-major tensors by their element type and axis of scales, packed ones through the packer's own reader.
#include "converter/inspect/stored_weights.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "converter/data/host_tensor.h"
#include "kernels/gemm/panel_pack.h"
#include "runtime/ops/panel_weights.h"

namespace pith::inspect {
namespace {

const char* name_of_layout(Layout layout) {
  switch (layout) {
    case Layout::row_major:
      return "row-major";
    case Layout::i8c:
      return "i8c";
    case Layout::i4s8:
      return "i4s8";
    case Layout::i4f16:
      return "i4f16";
    case Layout::i4a:
      return "i4a";
    case Layout::lut4:
      return "lut4";
    case Layout::lut4s8:
      return "lut4s8";
    case Layout::f16_panel:
      return "f16 panels";
  }
  return "?";
}

// Kernel rows of packed convolutions are padded to a multiple of 4 (runtime/ops/panel_weights.h).
template <class T>
std::vector<T> without_padding(const std::vector<T>& padded, const Shape& shape) {
  if (shape.rank() < 3) return padded;
  const auto run = static_cast<size_t>(shape.count(shape.rank() - 2, shape.rank()));
  const size_t stride = panel_round(run, 4), rows = padded.size() / stride;
  std::vector<T> out;
  out.reserve(rows * run);
  for (size_t r = 0; r < rows; ++r)
    out.insert(out.end(), padded.begin() + static_cast<ptrdiff_t>(r * stride),
               padded.begin() + static_cast<ptrdiff_t>(r * stride + run));
  return out;
}

// A group's scale in the units of its channel's, times that: the size of one code.
void read_group_scales(const PanelMatrix& m, const TensorView& t, StoredWeights* out) {
  const size_t groups = panel_round(m.k, m.group) / m.group, count = m.n * groups;
  std::vector<int8_t> small(count);
  std::vector<f16> halves(count);
  std::vector<float> channel(m.n, 1.0f);
  kernels::PanelTarget to;
  const bool is_half = has_half_scales(m.layout);
  to.group_scales = is_half ? static_cast<void*>(halves.data()) : small.data();
  if (!is_half) to.channel_scale = channel.data();
  kernels::unpack_panels(m, t.data, to);
  out->scales.resize(count);
  for (size_t i = 0; i < count; ++i)
    out->scales[i] = is_half ? to_float(halves[i]) : channel[i / groups] * static_cast<float>(small[i]);
}

Status read_packed(const TensorView& t, StoredWeights* out) {
  const PanelMatrix m = panel_matrix_of(t);
  if (const char* fault = panel_fault(m); fault != nullptr)
    return Status(Code::bad_file, format("tensor '%s': %s", t.name, fault));
  std::vector<float> values(m.n * m.k);
  kernels::unpack_weights(m, t.data, t.codebook, values.data());
  out->values = without_padding(values, t.shape);
  out->form = name_of_layout(t.layout);
  if (t.layout == Layout::f16_panel) return Status::ok();
  std::vector<int8_t> codes(m.n * m.k);
  kernels::PanelTarget to;
  to.codes = codes.data();
  out->scales.resize(m.n);
  if (t.layout == Layout::i8c) to.channel_scale = out->scales.data();
  kernels::unpack_panels(m, t.data, to);
  codes = without_padding(codes, t.shape);
  out->codes.assign(codes.begin(), codes.end());
  out->code_low = t.layout == Layout::i8c ? -127 : 0;
  out->code_high = t.layout == Layout::i8c ? 127 : 15;
  if (t.layout == Layout::i8c) return Status::ok();
  out->form += " g" + std::to_string(m.group);
  read_group_scales(m, t, out);
  return Status::ok();
}

Status read_row_major(const TensorView& t, StoredWeights* out) {
  const auto count = static_cast<size_t>(t.count());
  std::vector<double> stored(count);
  data::to_doubles(t.dtype, static_cast<const std::byte*>(t.data), count, stored.data());
  out->values.assign(stored.begin(), stored.end());
  out->form = name_of(t.dtype);
  if (t.quant.empty()) return Status::ok();
  if (t.quant.group != 0)
    return Status(Code::unsupported, format("tensor '%s': grouped scales of a row-major tensor", t.name));
  const size_t scales = t.quant.scales.size();
  const int axis = t.quant.per_tensor() ? 0 : t.quant.axis;
  if (axis < 0 || axis >= t.shape.rank() || (scales > 1 && static_cast<int64_t>(scales) != t.shape[axis]))
    return Status(Code::bad_file, format("tensor '%s': %zu scales along axis %d", t.name, scales, axis));
  out->form += scales > 1 ? " per channel" : " per tensor";
  out->scales.assign(t.quant.scales.begin(), t.quant.scales.end());
  out->bytes += scales * sizeof(float);
  const auto inner = static_cast<size_t>(t.shape.count(axis + 1, t.shape.rank()));
  out->codes.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t s = scales > 1 ? i / inner % scales : 0;
    const int32_t zero =
        t.quant.zero_points.empty() ? 0 : t.quant.zero_points[std::min(s, t.quant.zero_points.size() - 1)];
    out->codes[i] = static_cast<int32_t>(stored[i]);
    out->values[i] = static_cast<float>((stored[i] - zero) * static_cast<double>(t.quant.scales[s]));
  }
  out->code_low = t.dtype == DType::i8 ? -128 : 0;
  out->code_high = t.dtype == DType::i8 ? 127 : 255;
  if (bits_of(t.dtype) > 8 && count > 0) {  // biases: what occurs
    const auto [low, high] = std::minmax_element(out->codes.begin(), out->codes.end());
    out->code_low = *low;
    out->code_high = *high;
  }
  return Status::ok();
}

// [low, high] in `bins` stretches; `step` 1 for codes, whose stretches hold whole codes.
std::vector<CodeBin> empty_bins(double low, double high, size_t bins, bool whole) {
  const double span = whole ? high - low + 1 : high - low;
  double width = span / static_cast<double>(bins);
  if (whole) width = std::max(1.0, std::ceil(width));
  std::vector<CodeBin> out;
  for (size_t i = 0; i < bins; ++i) {
    const double first = low + static_cast<double>(i) * width;
    if (whole && first > high) break;
    out.push_back({first, std::min(high, first + width - (whole ? 1 : 0)), 0});
  }
  return out;
}

void count_into(std::vector<CodeBin>& bins, double v) {
  const double width = bins.size() > 1 ? bins[1].low - bins[0].low : 1;
  const double at = width > 0 ? (v - bins[0].low) / width : 0;
  ++bins[std::min(bins.size() - 1, static_cast<size_t>(std::max(0.0, at)))].count;
}

void describe_codes(const StoredWeights& w, CodeSpread* out) {
  std::map<int32_t, uint64_t> counts;
  for (const int32_t c : w.codes) ++counts[c];
  const auto total = static_cast<double>(w.codes.size());
  out->used = counts.size();
  for (const auto& [code, n] : counts) {
    const double share = static_cast<double>(n) / total;
    out->entropy -= share * std::log2(share);
    if (code <= w.code_low || code >= w.code_high) out->end_share += share;
  }
}

}  // namespace

double StoredWeights::bits_per_weight() const {
  return values.empty() ? 0 : 8.0 * static_cast<double>(bytes) / static_cast<double>(values.size());
}

bool has_stored_weights(const TensorView& t) {
  return t.is_constant && t.data != nullptr && t.shape.is_known() && t.shape.rank() >= 1 && t.count() > 0 &&
         t.dtype != DType::none && t.dtype != DType::boolean &&
         (is_panel_layout(t.layout) || bits_of(t.dtype) >= 8) &&
         (is_float(t.dtype) || t.layout != Layout::row_major || !t.quant.empty());
}

Result<StoredWeights> read_stored_weights(const TensorView& t) {
  if (!has_stored_weights(t))
    return Status(Code::unsupported, format("tensor '%s' has no stored numbers to read", t.name));
  StoredWeights out;
  out.channels = static_cast<size_t>(t.shape[0]);
  out.inner = static_cast<size_t>(t.count()) / out.channels;
  out.bytes = stored_bytes(t);
  PITH_RETURN_IF_ERROR(t.layout == Layout::row_major ? read_row_major(t, &out) : read_packed(t, &out));
  if (out.values.size() == out.channels * out.inner) return out;
  return Status(Code::internal, format("tensor '%s': %zu values of %zu", t.name, out.values.size(),
                                       out.channels * out.inner));
}

CodeSpread spread_of(const StoredWeights& w, size_t bins) {
  CodeSpread out;
  if (w.values.empty()) return out;
  const auto total = static_cast<double>(w.values.size());
  out.zero_share = static_cast<double>(std::count(w.values.begin(), w.values.end(), 0.0f)) / total;
  if (!w.codes.empty()) {
    out.bins = empty_bins(w.code_low, w.code_high, bins, true);
    for (const int32_t c : w.codes) count_into(out.bins, c);
    describe_codes(w, &out);
    return out;
  }
  float low = INFINITY, high = -INFINITY;
  for (const float v : w.values) {
    if (!std::isfinite(v)) continue;
    low = std::min(low, v);
    high = std::max(high, v);
  }
  if (!(low <= high)) return out;
  out.bins = empty_bins(low, high, low < high ? bins : 1, false);
  for (const float v : w.values)
    if (std::isfinite(v)) count_into(out.bins, v);
  return out;
}

}  // namespace pith::inspect
