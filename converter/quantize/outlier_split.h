// LLM.int8 with a list of outlier columns fixed by calibration: those few inputs, far larger than the rest, keep float weights in
// a small product of their own; the large product no longer sees them, so its 8-bit grids fit the others.
//   x ── FC(W) ── y      becomes      x ── Mul(0 or 1) ── FC(W, outlier columns 0) ── Add ── y
//                                     └─ Gather(outliers) ── FC(W, outlier columns) ──┘
//   const std::vector<uint32_t> columns = outlier_columns(moments.fit, {});
//   PITH_ASSIGN(OutlierSplit split, split_outliers(graph, node, columns));     // then quantize split.product
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "converter/ir/graph.h"
#include "converter/quantize/moments.h"
#include "runtime/base/status.h"

namespace pith::quantize {

struct OutlierRules {
  double threshold = 0;      // |x| from which a column is an outlier (published: 6); 0: by the typical column
  double times_typical = 6;  // of the median of the columns' largest |x|
  double largest_share = 0.05;  // of the columns; more are no outliers, and none is returned
};
// Rising.
std::vector<uint32_t> outlier_columns(const Moments& moments, const OutlierRules& rules);

struct OutlierSplit {
  ir::Node* product = nullptr;   // the large one: the node itself
  ir::Node* outliers = nullptr;  // the small one, to stay float
};
// A FullyConnected with float constants; columns rise, are below K, neither none nor all. The outputs stay the same, but for
// rounding. Errors: unsupported with the reason, bad_argument for impossible columns.
Result<OutlierSplit> split_outliers(ir::Graph& graph, ir::Node* node, std::span<const uint32_t> columns);

// Whether a node is the small product of a split: its few columns are never quantized.
bool is_outlier_product(const ir::Node& node);

}  // namespace pith::quantize
