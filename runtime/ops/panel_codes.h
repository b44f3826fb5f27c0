// Conv and FullyConnected of 8-bit codes over packed weights (layout i8c): scales are among the packed bytes, zero points are
// 0, the bias is an i32 input as ever. Kernels that read panels take them in place; the reference and XNNPACK get codes
// row by row, unpacked while planning.
#pragma once
#include <vector>

#include "kernels/conv/conv_i8.h"
#include "runtime/ops/op.h"

namespace pith {

// Packed weights beside an input of 8-bit codes.
bool has_code_panels(const NodeView& node);
Status check_code_panels(const NodeView& node);  // layout, element types, grids and scales

// The matrix as kernels/conv/conv_i8.h counts it.
kernels::ConvI8Weights code_matrix(const Shape& weights);
std::vector<float> scales_of_code_panels(const TensorView& w);

// Row-major codes with a scale per output. `view` is the tensor unpacked; it points into this.
struct UnpackedCodes {
  std::vector<int8_t> codes;
  std::vector<float> scales;
  std::vector<int32_t> zero_points;
  TensorView view;
  void unpack(const TensorView& w);
};

}  // namespace pith
