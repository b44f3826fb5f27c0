// Convolutions of 8-bit codes in groups, and transposed ones: kernels/conv/conv_i8_parts.h.
#pragma once
#include "kernels/conv/conv_i8_parts.h"
#include "kernels/conv/window.h"
#include "runtime/ops/op.h"

namespace pith {

// The shape of a convolution, transposed or not, whose window spans two dims at most; false: three.
bool flat_conv_shape(const NodeView& node, const kernels::Window& w, kernels::ConvI8Shape* s);

struct RealClamp {
  float min, max;
};
Status take_conv_parts(const NodeView& node, PrepareContext& context, const kernels::ConvPartsShape& shape,
                       RealClamp clamp);

}  // namespace pith
