// Removes the mean shift that quantization leaves in a layer's output: b[c] -= E[quantized y[c]] - E[float
// y[c]]. Each channel's correction is estimated on some calibration items and accepted only if it lowers the
// squared error on others: size says nothing about worth (a bias of zero would make any correction look
// infinite).
//   ChannelError fit(channels), held_back(channels);
//   fit.add(float_y, quantized_y); ...        PITH_ASSIGN(BiasCorrection b, correct_bias(fit, held_back));
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "converter/quantize/weight_quant.h"
#include "runtime/base/status.h"

namespace pith::quantize {

// Mean and second moment of each channel of a channels-last tensor, over any number of batches.
class ChannelMoments {
 public:
  explicit ChannelMoments(size_t channels) : sums_(channels), squares_(channels) {}
  Status add(std::span<const float> values);  // length a multiple of channels
  size_t channels() const { return sums_.size(); }
  uint64_t rows() const { return rows_; }
  std::vector<double> means() const;
  std::vector<double> second_moments() const;

 private:
  std::vector<double> sums_, squares_;
  uint64_t rows_ = 0;
};

// First and second moment of quantized - float, per channel of channels-last tensors.
class ChannelError {
 public:
  explicit ChannelError(size_t channels) : sums_(channels), squares_(channels) {}
  Status add(std::span<const float> exact, std::span<const float> quantized);
  size_t channels() const { return sums_.size(); }
  uint64_t rows() const { return rows_; }
  double mean(size_t channel) const;
  double mse(size_t channel) const;
  double mse_after(size_t channel,
                   double correction) const;  // if `correction` were taken from the quantized values

 private:
  std::vector<double> sums_, squares_;
  uint64_t rows_ = 0;
};

struct BiasCorrection {
  std::vector<float> delta;  // add to the bias; 0 where rejected
  size_t accepted = 0;
  size_t rejected = 0;                   // would have raised the held-back error
  double mse_before = 0, mse_after = 0;  // mean over channels, held back
};
Result<BiasCorrection> correct_bias(const ChannelError& fit, const ChannelError& held_back);

// The same shift without running the quantized layer: mean over inputs of sum_j (decoded w - w)[c][j] x[j].
// input_mean[k] is the mean of input channel k; weights [outer][channels][inner] with the input channel
// fastest in `inner` (inner a multiple of input_mean's length), or, with inner == 1 and as many means as
// channels, depthwise. Borders of padded convolutions make it approximate: accept it through ChannelError
// like any other.
Result<std::vector<double>> weight_shift(const ChannelView& weights, const QuantizedWeights& quantized,
                                         std::span<const double> input_mean);

}  // namespace pith::quantize
