// SmoothQuant: channels of an input that are much larger than the others take its whole 8-bit grid. Part of their size moves into
// the weights, which have a scale per output and can bear it: s_j = max|x_j|^alpha / max|w_j|^(1 - alpha), x / s from the layer
// before (channel_fold.h), w s here.
//   PITH_ASSIGN(ChannelScales s, choose_smoothing(sharing, moments, Int8Rows::each));      // moments with a sample
//   if (s.helps()) fold_channels(graph, fold, s.factors);
// alpha: 0, 0.05 .. 1, by the error that 8-bit codes of inputs and weights make on the sampled rows.
#pragma once
#include "converter/quantize/awq.h"

namespace pith::quantize {

enum class Int8Rows : uint8_t {
  each,    // a grid per row, as the device makes for int8-dynamic
  shared,  // one grid for all rows, min to max: static int8
};

// Factors between 1/100 and 100. bad_argument when the moments have no sample.
Result<ChannelScales> choose_smoothing(std::span<ir::Node* const> sharing, const ProductMoments& moments,
                                       Int8Rows rows);

// Mean over rows of |w x - (w x by 8-bit codes)|^2 after columns were scaled: w_j s_j, x_j / s_j. The weights' codes have a scale
// per output, the rows' an asymmetric grid.
Result<double> int8_loss(std::span<const float> w, size_t n, std::span<const float> rows, size_t k,
                         std::span<const double> factors, Int8Rows grids);

}  // namespace pith::quantize
