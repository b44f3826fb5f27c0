// Symmetric int8 weights; the scale of a channel is absmax / 127 or found by a shrinking search.
#include "converter/quantize/weight_quant.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "converter/quantize/tournament.h"
#include "runtime/base/checked.h"

namespace pith::quantize {
namespace {

constexpr double kTop = 127.0;
// Shrinking by more than 2x never paid for 8 bits on Gaussian or Laplace rows; the grid is fine because the
// error is jagged in the scale.
constexpr int kSearchSteps = 100;
constexpr double kSearchDepth = 0.5;

double round_to_code(double steps) { return std::clamp(std::nearbyint(steps), -kTop, kTop); }

double squared_error(std::span<const double> row, double scale) {
  double sum = 0;
  for (const double w : row) {
    const double e = w - round_to_code(w / scale) * scale;
    sum += e * e;
  }
  return sum;
}

float storable(double scale) { return static_cast<float>(std::clamp<double>(scale, FLT_MIN, FLT_MAX)); }

// The scale before any floor. Scored in its stored float form: that is what the device multiplies by.
float choose_scale(std::span<const double> row, ScaleRule rule) {
  double top = 0;
  for (const double w : row) top = std::max(top, std::fabs(w));
  if (top == 0) return 1.0f;
  float best = storable(top / kTop);
  if (rule == ScaleRule::absmax) return best;
  double least = squared_error(row, best);
  for (int i = 1; i <= kSearchSteps; ++i) {
    const float scale = storable(top / kTop * (1.0 - kSearchDepth * i / kSearchSteps));
    const double error = squared_error(row, scale);
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

Status check(const ChannelView& w, const WeightOptions& o) {
  size_t count = 0;
  if (!checked_mul(w.outer, w.channels, &count) || !checked_mul(count, w.inner, &count) ||
      count != w.values.size())
    return Status(Code::bad_argument, format("weights of %zu x %zu x %zu values given as %zu", w.outer,
                                             w.channels, w.inner, w.values.size()));
  if (!o.scale_floor.empty() && o.scale_floor.size() != w.channels)
    return Status(Code::bad_argument,
                  format("%zu scale floors for %zu channels", o.scale_floor.size(), w.channels));
  for (size_t i = 0; i < count; ++i) {
    if (std::isfinite(w.values[i])) continue;
    return Status(Code::bad_file, format("weight %zu (channel %zu) is %g; quantization needs finite weights",
                                         i, (i / w.inner) % w.channels, static_cast<double>(w.values[i])));
  }
  for (size_t c = 0; c < o.scale_floor.size(); ++c)
    if (!(o.scale_floor[c] >= 0) || !std::isfinite(o.scale_floor[c]))
      return Status(Code::bad_argument,
                    format("scale floor of channel %zu is %g", c, static_cast<double>(o.scale_floor[c])));
  return Status::ok();
}

void gather(const ChannelView& w, size_t channel, std::vector<double>& row) {
  row.clear();
  for (size_t o = 0; o < w.outer; ++o)
    for (size_t i = 0; i < w.inner; ++i) row.push_back(w.values[w.index(o, channel, i)]);
}

struct Power {
  double signal = 0, error = 0;
};

// Writes the codes of one channel and returns its signal and error power.
Power encode_channel(const ChannelView& w, size_t channel, float scale, std::vector<int8_t>& codes) {
  Power p;
  for (size_t o = 0; o < w.outer; ++o) {
    for (size_t i = 0; i < w.inner; ++i) {
      const size_t at = w.index(o, channel, i);
      const double x = w.values[at];
      const double code = round_to_code(x / scale);
      codes[at] = static_cast<int8_t>(code);
      const double e = x - code * scale;
      p.signal += x * x;
      p.error += e * e;
    }
  }
  return p;
}

// Raises scales that would make the channel's int32 bias overflow.
void apply_floor(std::span<const float> floor, QuantizedWeights& out) {
  for (size_t c = 0; c < floor.size(); ++c) {
    float& scale = out.scales.size() == 1 ? out.scales[0] : out.scales[c];
    if (scale >= floor[c]) continue;
    scale = floor[c];
    ++out.widened_channels;
  }
}

}  // namespace

Result<QuantizedWeights> quantize_weights(const ChannelView& weights, const WeightOptions& options) {
  PITH_RETURN_IF_ERROR(check(weights, options));
  QuantizedWeights out;
  out.codes.resize(weights.values.size());
  std::vector<double> row;
  if (options.per_channel) {
    for (size_t c = 0; c < weights.channels; ++c) {
      gather(weights, c, row);
      out.scales.push_back(choose_scale(row, options.rule));
    }
  } else {
    row.assign(weights.values.begin(), weights.values.end());
    out.scales.push_back(choose_scale(row, options.rule));
  }
  apply_floor(options.scale_floor, out);
  Power total;
  for (size_t c = 0; c < weights.channels; ++c) {
    const Power p = encode_channel(weights, c, out.scales[options.per_channel ? c : 0], out.codes);
    total.signal += p.signal;
    total.error += p.error;
    if (p.signal == 0) ++out.dead_channels;
    out.channel_sqnr_db.push_back(p.signal == 0 ? INFINITY : sqnr_db(p.signal, p.error));
    if (out.channel_sqnr_db[c] < out.channel_sqnr_db[out.worst_channel]) out.worst_channel = c;
  }
  out.sqnr_db = sqnr_db(total.signal, total.error);
  return out;
}

std::vector<int32_t> code_sums(std::span<const int8_t> codes, const ChannelView& shape) {
  std::vector<int32_t> sums(shape.channels);
  for (size_t o = 0; o < shape.outer; ++o)
    for (size_t c = 0; c < shape.channels; ++c)
      for (size_t i = 0; i < shape.inner; ++i) sums[c] += codes[shape.index(o, c, i)];
  return sums;
}

}  // namespace pith::quantize
