// AdaRound: whether each weight's code goes up or down is chosen by the error of the product's output, not by what is nearest.
//   minimize over v of  e^T H e + lambda sum(1 - |2 h(v) - 1|^beta),   e = w - step (floor + h(v) - zero),  H = E[x x^T]
// h is a sigmoid stretched over [0, 1]; Adam moves v while beta falls and drives every h to 0 or 1. The moments stand for the
// data, so a step costs a product with H. Afterwards single codes move by one as long as that lowers the loss; the same is done
// from the codes given, and the better result stays: never worse than what came in.
//   const AdaRoundReport r = adaround(w, grid, moments, {}, pool, &codes);
// Source: arXiv 2004.10568; the descent over codes is ours.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "converter/quantize/group_rows.h"
#include "converter/quantize/moments.h"
#include "converter/quantize/weight_quant.h"
#include "runtime/base/status.h"

namespace pith::quantize {

struct RoundingGrid {              // fixed while codes move: value = step * (code - zero)
  size_t n = 0, k = 0, group = 0;  // columns that share a step
  std::vector<double> step, zero;  // [n, ceil(k / group)]; a step of 0: all codes there stay
  int low = 0, high = 0;           // codes
};

struct AdaRoundOptions {
  int steps = 400;       // of Adam; 0: only the descent over codes
  double lambda = 0.01;  // of the regularizer, for a loss in units of the nearest codes' loss per weight
  double beta_first = 20, beta_last = 2;
  double warm_share = 0.2;  // of the steps without regularizer
  double rate = 0.02;
};

struct AdaRoundReport {
  double loss_before = 0, loss_after = 0;  // sum over outputs of e^T H e
  size_t moved = 0;                        // codes that differ from those given
  size_t learned_rows = 0;                 // outputs where Adam's codes were the better start
};

// codes: [n, k], in and out. bad_argument when extents do not fit or the moments have no cross products.
Result<AdaRoundReport> adaround(std::span<const float> w, const RoundingGrid& grid, const Moments& moments,
                                const AdaRoundOptions& options, ThreadPool* pool, std::vector<int8_t>* codes);

// The grids of int8 weights per channel (outer = 1: rows of outputs) and of linear 4-bit groups.
RoundingGrid rounding_grid(const QuantizedWeights& weights, size_t n, size_t k);
Result<RoundingGrid> rounding_grid(const GroupRows& rows);

}  // namespace pith::quantize
