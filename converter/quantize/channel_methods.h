// AWQ, SmoothQuant and the outlier split over a whole float graph: what applies is done, what does not is noted with its reason.
// The graph computes the same afterwards, but for rounding; it is quantized later, and whoever does so keeps the step only if the
// model's outputs come closer.
//   PITH_ASSIGN(auto notes, smooth_products(graph, nodes, source, {}, Int8Rows::shared));
#pragma once
#include <string>
#include <vector>

#include "converter/quantize/collect_moments.h"
#include "converter/quantize/outlier_split.h"
#include "converter/quantize/smooth_quant.h"

namespace pith::quantize {

struct ChannelNote {
  std::vector<std::string> nodes;  // that share an input
  bool done = false;
  std::string reason;                      // why not
  double parameter = 0;                    // ratio, alpha, or number of columns split off
  double loss_before = 0, loss_after = 0;  // estimated; 0 for the split
};

// `nodes`: products of the graph, in order; those without a plain weight matrix are noted. Errors: as collect_moments.
Result<std::vector<ChannelNote>> scale_products_awq(ir::Graph& graph, std::span<ir::Node* const> nodes,
                                                    const ItemSource& source, MomentsOptions moments,
                                                    const GroupOptions& options);
Result<std::vector<ChannelNote>> smooth_products(ir::Graph& graph, std::span<ir::Node* const> nodes,
                                                 const ItemSource& source, MomentsOptions moments,
                                                 Int8Rows rows);
Result<std::vector<ChannelNote>> split_product_outliers(ir::Graph& graph, std::span<ir::Node* const> nodes,
                                                        const ItemSource& source, MomentsOptions moments,
                                                        const OutlierRules& rules);

}  // namespace pith::quantize
