// A product with constant weights, shared by FullyConnected and MatMul.
#pragma once
#include <cmath>

#include "runtime/backends/xnnpack/xnn_operator.h"

namespace pith {

struct Product {
  size_t rows = 1, k = 1, n = 1;
  bool k_by_n = false;  // weights are [K, N], else [N, K]
  float clamp_min = -INFINITY, clamp_max = INFINITY;
  uint32_t flags() const { return k_by_n ? XNN_FLAG_TRANSPOSE_WEIGHTS : 0; }
  int channel_axis() const { return k_by_n ? 1 : 0; }
};

// Input 0 is x, 1 the weights, 2 (may be omitted) the bias.
Status lower_product(const NodeView& node, const Product& p, Lowering& low);

}  // namespace pith
