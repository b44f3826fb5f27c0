// The rows that a product's weight matrix multiplies, read from the input of a running node: x itself for FullyConnected, one
// patch per output pixel for Conv, columns in the order of the weights (taps row by row, channels innermost), zeros where the
// window leaves the image.
#pragma once
#include <string>
#include <vector>

#include "converter/ir/graph.h"
#include "converter/quantize/moments.h"
#include "runtime/base/status.h"
#include "runtime/ops/op.h"

namespace pith::quantize {

// Weights [outputs, columns] in the graph. Errors (unsupported) for what has no such matrix: other operators, grouped
// convolutions, weights that are not float constants.
struct ProductMatrix {
  size_t outputs = 0, columns = 0;
  size_t run =
      0;  // columns of one kernel row, which packed weights pad to a multiple of 4; all for FullyConnected
};
Result<ProductMatrix> product_matrix(const ir::Node& node);
Result<ProductMatrix> product_extents(const ir::Node& node);  // whatever type the weights have

// The moments of `padded_rows` (packable.h): kernel rows padded by columns of zero.
Moments packed_moments(const ProductMatrix& matrix, const Moments& m);

// Equal for products that see the same rows: their moments can be shared.
std::string rows_key(const ir::Node& node);

// At most `max_rows`: one from each of as many equal stretches, at a place that `seed` decides (even steps would meet the same
// pixel column of an image again and again). The node has just run.
Result<std::vector<float>> product_rows(const NodeView& node, size_t columns, size_t max_rows, uint64_t seed);

}  // namespace pith::quantize
