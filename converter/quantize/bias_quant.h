// int32 biases of integer layers: code = round(bias / (input scale * weight scale)), zero point 0; and the
// proof that the int32 accumulator of each channel cannot overflow.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "converter/quantize/weight_quant.h"
#include "runtime/base/status.h"

namespace pith::quantize {

// A bias code stays within half of int32: the products need the other half.
inline constexpr double kLargestBiasCode = 0x1p30;

// Smallest weight scale per channel that keeps the bias code within kLargestBiasCode. Feed it to
// quantize_weights before choosing codes: a channel of tiny weights with a large bias is then stored coarser
// instead of wrapping.
Result<std::vector<float>> bias_scale_floor(std::span<const float> bias, float input_scale);

// weight_scales: one per channel, or one for all. Refuses, naming the channel, what does not fit
// kLargestBiasCode.
Result<std::vector<int32_t>> quantize_bias(std::span<const float> bias, float input_scale,
                                           std::span<const float> weight_scales);

// Checks sum |code| * 255 + |bias code| < 2^31 for every channel: |input code - zero point| <= 255. Names the
// channel.
Status check_accumulators(std::span<const int8_t> codes, const ChannelView& shape,
                          std::span<const int32_t> bias);

}  // namespace pith::quantize
