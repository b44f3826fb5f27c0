// Empirical and weight-based bias correction: see bias_correction.h.
#include "converter/quantize/bias_correction.h"

#include <cmath>

namespace pith::quantize {
namespace {

Status check_rows(size_t values, size_t channels) {
  if (channels > 0 && values % channels == 0) return Status::ok();
  return Status(Code::bad_argument,
                format("%zu values are not whole rows of %zu channels", values, channels));
}

std::vector<double> averages(const std::vector<double>& sums, uint64_t rows) {
  std::vector<double> out(sums.size());
  if (rows == 0) return out;
  for (size_t c = 0; c < sums.size(); ++c) out[c] = sums[c] / static_cast<double>(rows);
  return out;
}

}  // namespace

Status ChannelMoments::add(std::span<const float> values) {
  PITH_RETURN_IF_ERROR(check_rows(values.size(), channels()));
  for (size_t i = 0; i < values.size();) {
    for (size_t c = 0; c < sums_.size(); ++c, ++i) {
      const double x = values[i];
      sums_[c] += x;
      squares_[c] += x * x;
    }
    ++rows_;
  }
  return Status::ok();
}

std::vector<double> ChannelMoments::means() const { return averages(sums_, rows_); }
std::vector<double> ChannelMoments::second_moments() const { return averages(squares_, rows_); }

Status ChannelError::add(std::span<const float> exact, std::span<const float> quantized) {
  PITH_RETURN_IF_ERROR(check_rows(exact.size(), channels()));
  if (exact.size() != quantized.size())
    return Status(Code::bad_argument,
                  format("%zu exact values against %zu quantized ones", exact.size(), quantized.size()));
  for (size_t i = 0; i < exact.size();) {
    for (size_t c = 0; c < sums_.size(); ++c, ++i) {
      const double d = double{quantized[i]} - double{exact[i]};
      sums_[c] += d;
      squares_[c] += d * d;
    }
    ++rows_;
  }
  return Status::ok();
}

double ChannelError::mean(size_t channel) const {
  return rows_ == 0 ? 0.0 : sums_[channel] / static_cast<double>(rows_);
}

double ChannelError::mse(size_t channel) const {
  return rows_ == 0 ? 0.0 : squares_[channel] / static_cast<double>(rows_);
}

double ChannelError::mse_after(size_t channel, double correction) const {
  return mse(channel) - 2 * correction * mean(channel) + correction * correction;  // E[(d - correction)^2]
}

Result<BiasCorrection> correct_bias(const ChannelError& fit, const ChannelError& held_back) {
  if (fit.channels() != held_back.channels())
    return Status(Code::bad_argument, format("bias correction fitted on %zu channels, judged on %zu",
                                             fit.channels(), held_back.channels()));
  if (fit.rows() == 0 || held_back.rows() == 0)
    return Status(Code::bad_argument, "bias correction needs rows to fit on and other rows to judge by");
  BiasCorrection out;
  out.delta.resize(fit.channels());
  for (size_t c = 0; c < fit.channels(); ++c) {
    const auto shift = static_cast<float>(fit.mean(c));
    const double before = held_back.mse(c);
    double after = held_back.mse_after(c, shift);
    if (!std::isfinite(shift) || !std::isfinite(before))
      return Status(Code::bad_argument, format("bias correction of channel %zu met NaN or infinity", c));
    if (shift != 0.0f && after < before) {
      out.delta[c] = -shift;
      ++out.accepted;
    } else {
      out.rejected += shift != 0.0f ? 1 : 0;
      after = before;
    }
    out.mse_before += before / static_cast<double>(fit.channels());
    out.mse_after += after / static_cast<double>(fit.channels());
  }
  return out;
}

Result<std::vector<double>> weight_shift(const ChannelView& weights, const QuantizedWeights& quantized,
                                         std::span<const double> input_mean) {
  const size_t inputs = input_mean.size();
  const bool depthwise = weights.inner == 1 && inputs == weights.channels;
  if (quantized.codes.size() != weights.values.size() || inputs == 0 ||
      (!depthwise && weights.inner % inputs != 0) ||
      (quantized.scales.size() != 1 && quantized.scales.size() != weights.channels))
    return Status(
        Code::bad_argument,
        format("weights of %zu x %zu x %zu do not fit %zu input means, %zu codes, %zu scales", weights.outer,
               weights.channels, weights.inner, inputs, quantized.codes.size(), quantized.scales.size()));
  std::vector<double> shift(weights.channels);
  for (size_t o = 0; o < weights.outer; ++o) {
    for (size_t c = 0; c < weights.channels; ++c) {
      const double scale = quantized.scales[quantized.scales.size() == 1 ? 0 : c];
      for (size_t i = 0; i < weights.inner; ++i) {
        const size_t at = weights.index(o, c, i);
        shift[c] +=
            (quantized.codes[at] * scale - weights.values[at]) * input_mean[depthwise ? c : i % inputs];
      }
    }
  }
  return shift;
}

}  // namespace pith::quantize
