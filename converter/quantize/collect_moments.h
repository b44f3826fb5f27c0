// Runs a float model over calibration items and hands out the moments of the inputs of its products, in bounded memory.
//   collect_moments(graph, nodes, source, {.max_bytes = 512u << 20}, [&](std::span<ir::Node* const> sharing, const ProductMoments& m) {
//     ... quantize the weights of `sharing`; the graph may change: later rounds run what it has become ... });
// Nodes are taken in rounds, each a pass over the items, as many as fit the bound. Products that read the same rows (query, key
// and value) share one set of moments.
#pragma once
#include <cstdint>
#include <functional>
#include <span>

#include "converter/quantize/calibrate.h"
#include "converter/quantize/moments.h"

namespace pith::quantize {

struct MomentsOptions {
  int64_t max_items = 256;  // evenly spread over the source
  int64_t judge_every = 4;  // every 4th item is held back for `judge`; 0, or fewer items than that: none
  size_t max_rows = 512;    // of one item, evenly spread: pixels of a convolution, tokens
  size_t rows_per_column =
      16;                  // of all items together, enough for stable products; 32 rows of an item at least
  size_t sample_rows = 0;  // kept as they are, from judging items where there are any
  bool cross_products = true;                // false: squares only
  uint64_t max_bytes = uint64_t{512} << 20;  // of the moments alive at once
  size_t threads = 1;
  std::function<void(int64_t done, int64_t total)> progress = {};  // in runs of the model
};

struct ProductMoments {
  Moments fit;
  Moments judge;              // of items that `fit` has not seen; no rows when there are none
  std::vector<float> sample;  // about sample_rows rows
};
using MomentsFn = std::function<Status(std::span<ir::Node* const> sharing, const ProductMoments& moments)>;

// Bytes of moments for products of `columns`.
uint64_t moments_bytes(uint64_t columns, const MomentsOptions& options);

// Calls `consume` once per set of nodes that share rows, in the order of `nodes`. Errors before any run: a node without a
// weight matrix (product_matrix), a product whose moments alone exceed max_bytes. Later: values that are not finite, naming the
// tensor and the item; a product that no item reaches; whatever feed, the runtime and consume say.
Status collect_moments(ir::Graph& graph, std::span<ir::Node* const> nodes, const ItemSource& source,
                       const MomentsOptions& options, const MomentsFn& consume);

}  // namespace pith::quantize
