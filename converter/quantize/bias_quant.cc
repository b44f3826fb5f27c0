// Bias codes with an overflow guard: see bias_quant.h.
#include "converter/quantize/bias_quant.h"

#include <cfloat>
#include <cmath>

namespace pith::quantize {
namespace {

Status check_input_scale(float input_scale) {
  if (input_scale > 0 && std::isfinite(input_scale)) return Status::ok();
  return Status(Code::bad_argument,
                format("input scale %g is not a positive number", static_cast<double>(input_scale)));
}

Status check_bias(std::span<const float> bias) {
  for (size_t c = 0; c < bias.size(); ++c)
    if (!std::isfinite(bias[c]))
      return Status(Code::bad_file, format("bias of channel %zu is %g", c, static_cast<double>(bias[c])));
  return Status::ok();
}

}  // namespace

Result<std::vector<float>> bias_scale_floor(std::span<const float> bias, float input_scale) {
  PITH_RETURN_IF_ERROR(check_input_scale(input_scale));
  PITH_RETURN_IF_ERROR(check_bias(bias));
  std::vector<float> floor;
  for (size_t c = 0; c < bias.size(); ++c) {
    const double exact = std::fabs(double{bias[c]}) / (double{input_scale} * kLargestBiasCode);
    auto stored = static_cast<float>(exact);
    if (stored < exact) stored = std::nextafterf(stored, FLT_MAX);  // the float must not fall below the bound
    if (!std::isfinite(stored))
      return Status(
          Code::unsupported,
          format(
              "channel %zu: bias %g with input scale %g needs a weight scale beyond float; leave the layer "
              "in float",
              c, static_cast<double>(bias[c]), static_cast<double>(input_scale)));
    floor.push_back(stored);
  }
  return floor;
}

Result<std::vector<int32_t>> quantize_bias(std::span<const float> bias, float input_scale,
                                           std::span<const float> weight_scales) {
  PITH_RETURN_IF_ERROR(check_input_scale(input_scale));
  PITH_RETURN_IF_ERROR(check_bias(bias));
  if (weight_scales.size() != 1 && weight_scales.size() != bias.size())
    return Status(Code::bad_argument,
                  format("%zu weight scales for %zu biases", weight_scales.size(), bias.size()));
  std::vector<int32_t> codes;
  for (size_t c = 0; c < bias.size(); ++c) {
    const float weight_scale = weight_scales[weight_scales.size() == 1 ? 0 : c];
    const double step = double{input_scale} * double{weight_scale};  // exact in double
    const double code = std::nearbyint(bias[c] / step);
    if (!(std::fabs(code) <= kLargestBiasCode))
      return Status(
          Code::unsupported,
          format("channel %zu: bias %g is %.4g steps of input scale %g times weight scale %g, beyond the "
                 "int32 guard of 2^30; widen the weight scale to at least its bias floor",
                 c, static_cast<double>(bias[c]), code, static_cast<double>(input_scale),
                 static_cast<double>(weight_scale)));
    codes.push_back(static_cast<int32_t>(code));
  }
  return codes;
}

Status check_accumulators(std::span<const int8_t> codes, const ChannelView& shape,
                          std::span<const int32_t> bias) {
  for (size_t c = 0; c < shape.channels; ++c) {
    int64_t magnitude = 0;
    for (size_t o = 0; o < shape.outer; ++o)
      for (size_t i = 0; i < shape.inner; ++i) magnitude += std::abs(int{codes[shape.index(o, c, i)]});
    const int64_t b = bias.empty() ? 0 : std::abs(int64_t{bias[c]});
    const int64_t bound = magnitude * 255 + b;
    if (bound > INT32_MAX)
      return Status(
          Code::unsupported,
          format("channel %zu: products and bias can reach %lld, beyond int32; leave the layer in float", c,
                 static_cast<long long>(bound)));
  }
  return Status::ok();
}

}  // namespace pith::quantize
