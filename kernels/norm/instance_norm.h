// Instance normalization of float x[batch, before, channels, after]: every (batch, channel) over before x
// after.
//   y = (x - mean) / sqrt(mean of (x - mean)^2 + epsilon) * scale[c] + bias[c]
// Channels first: before = 1; channels last: after = 1. x and y may be the same memory. Sums in double.
#pragma once
#include "kernels/base/types.h"

namespace pith::kernels {

struct InstanceNormArgs {
  const float* x;
  const float* scale;  // [channels] or null: 1
  const float* bias;   // [channels] or null: 0
  float* y;
  size_t before, channels, after;
  float epsilon;
};

size_t pieces_of(const InstanceNormArgs& a, size_t batch);
// Pieces [begin, end): one channel each, or a tile of channels when they are innermost.
void instance_norm_ref(const InstanceNormArgs& a, Range pieces);

}  // namespace pith::kernels
