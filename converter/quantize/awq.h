// AWQ: inputs that matter more get finer codes by making their weights larger, s_j = a_j^r with a_j the mean magnitude of input j,
// which the layer before then divides by (channel_fold.h). The ratio r is chosen from 0, 1/20 .. 19/20, each also against the
// weights' own magnitude (a_j^r / mean|w_j|^(1 - r)), and a closed form sqrt(rms x_j / rms w_j), by the loss on rows held back.
//   PITH_ASSIGN(ChannelScales s, choose_awq_scales(sharing, moments, {Layout::i4s8, 32}));
//   if (s.helps()) fold_channels(graph, fold, s.factors);             then quantize as always
// The published clip search is left out: the 19-step search of each group covers it.
#pragma once
#include <span>
#include <vector>

#include "converter/ir/graph.h"
#include "converter/quantize/collect_moments.h"
#include "converter/quantize/weight_groups.h"
#include "runtime/base/status.h"

namespace pith::quantize {

struct ChannelScales {
  std::vector<double>
      factors;           // weights' columns of a channel are multiplied by it; all 1 when nothing is better
  double parameter = 0;  // the ratio or alpha of the winner
  double loss_before = 0,
         loss_after = 0;  // of all products together, on held-back rows (or all, when none were)
  bool helps() const { return loss_after < loss_before; }
};

// Factors between 1e-4 and 1e4 for products that share an input. options.importance is not used.
Result<ChannelScales> choose_awq_scales(std::span<ir::Node* const> sharing, const ProductMoments& moments,
                                        const GroupOptions& options);

// Per channel: the mean over the taps of a convolution, whose columns repeat the channels.
std::vector<double> over_taps(std::span<const double> columns, size_t channels);

}  // namespace pith::quantize
