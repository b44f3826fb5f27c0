// Cross-layer equalization: moves scale between neighbouring layers so that the channels of the tensor between them
// become alike. One grid then serves them all with less error; the function computed stays the same.
//   y = W2 f(W1 x + b1)  =  (W2 t) f((W1 x + b1) / t)      for f(s z) = s f(z), s > 0: identity, ReLU, leaky ReLU, pools
// Channel i gets t_i = sqrt(r1_i / r2_i), r the largest magnitudes of its weights in W1 and W2: afterwards both are
// sqrt(r1_i r2_i). Chains (convolution, depthwise, pointwise) are gone over until nothing moves.
#pragma once
#include <cstddef>

#include "converter/ir/graph.h"

namespace pith::quantize {

struct EqualizeReport {
  size_t pairs = 0;           // of layers
  size_t rounds = 0;          // until settled
  double largest_factor = 1;  // by which a channel was scaled up or down in all
};

// The graph's passes have run: channels last, activations fused. Weights and biases that change get new constants.
EqualizeReport equalize_layers(ir::Graph& graph);

}  // namespace pith::quantize
