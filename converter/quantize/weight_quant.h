// Constant weights -> int8 codes in [-127, 127] with symmetric scales, one per channel or one for the tensor.
//   WeightOptions o;  o.scale_floor = bias_scale_floor(bias, input_scale);
//   PITH_ASSIGN(QuantizedWeights q, quantize_weights({w, 1, rows, cols}, o));   // q.codes in the order of w
// -128 is never used: negating a row cannot overflow, and |code| <= 127 bounds the int32 accumulator.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/base/status.h"

namespace pith::quantize {

// Values seen as [outer][channels][inner], row major: a row-major matrix with output rows is {w, 1, rows,
// cols}, a depthwise filter with channels innermost {w, taps, channels, 1}.
struct ChannelView {
  std::span<const float> values;
  size_t outer = 1, channels = 1, inner = 1;
  size_t index(size_t o, size_t c, size_t i) const { return (o * channels + c) * inner + i; }
};

enum class ScaleRule : uint8_t {
  absmax,  // the largest weight on code 127
  mse,     // the shrunk scale with the least squared error; never worse than absmax
};

struct WeightOptions {
  ScaleRule rule = ScaleRule::absmax;
  bool per_channel = true;
  std::span<const float> scale_floor = {};  // per channel lower bounds (bias_scale_floor); empty: none
};

struct QuantizedWeights {
  std::vector<int8_t> codes;            // same order as the view's values
  std::vector<float> scales;            // one per channel, or one
  std::vector<double> channel_sqnr_db;  // per channel; +infinity where exact
  double sqnr_db = 0;                   // whole tensor
  size_t worst_channel = 0;             // lowest channel_sqnr_db
  size_t dead_channels = 0;             // all zero: scale 1
  size_t widened_channels = 0;          // scale raised to its floor
};

// Refuses NaN and infinities (naming channel and value) and sizes that do not match.
Result<QuantizedWeights> quantize_weights(const ChannelView& weights, const WeightOptions& options);

// Sum of codes per channel: what the zero point of the input is multiplied by.
std::vector<int32_t> code_sums(std::span<const int8_t> codes, const ChannelView& shape);

}  // namespace pith::quantize
