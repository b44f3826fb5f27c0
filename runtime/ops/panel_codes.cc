// Reading packed 8-bit weights.
#include "runtime/ops/panel_codes.h"

#include <cmath>

#include "runtime/ops/infer_helpers.h"
#include "runtime/ops/panel_product.h"
#include "runtime/ops/requant_state.h"

namespace pith {

bool has_code_panels(const NodeView& node) { return has_panels(node) && is_codes(node.in(0).dtype); }

Status check_code_panels(const NodeView& node) {
  const TensorView& w = node.in(1);
  if (w.layout != Layout::i8c)
    return node_error(node, Code::bad_file,
                      "8-bit inputs need weights in layout i8c; 4-bit and half ones are for float inputs");
  PITH_RETURN_IF_ERROR(expect_dtype(node, 2, {DType::i32}));
  PITH_RETURN_IF_ERROR(expect_tensor_grid(node, node.in(0), "input"));
  PITH_RETURN_IF_ERROR(expect_tensor_grid(node, node.out(0), "output"));
  if (!w.has_value) return Status::ok();
  const std::vector<float> scales = scales_of_code_panels(w);
  for (size_t o = 0; o < scales.size(); ++o)
    if (!(scales[o] > 0) || !std::isfinite(scales[o]))
      return node_error(node, Code::bad_file,
                        format("packed weights '%s' have scale %g for output %zu", w.name,
                               static_cast<double>(scales[o]), o));
  return Status::ok();
}

kernels::ConvI8Weights code_matrix(const Shape& weights) {
  const int rank = weights.rank(), first = rank > 2 ? rank - 2 : 1;  // of the dims in a kernel row
  return {static_cast<size_t>(weights[0]), static_cast<size_t>(weights.count(1, first)),
          static_cast<size_t>(weights.count(first, rank))};
}

std::vector<float> scales_of_code_panels(const TensorView& w) {
  std::vector<float> scales(static_cast<size_t>(w.shape[0]));
  kernels::unpack_conv_i8(code_matrix(w.shape), w.data, nullptr, scales.data());
  return scales;
}

void UnpackedCodes::unpack(const TensorView& w) {
  codes.resize(static_cast<size_t>(w.count()));
  scales.resize(static_cast<size_t>(w.shape[0]));
  zero_points.assign(scales.size(), 0);
  kernels::unpack_conv_i8(code_matrix(w.shape), w.data, codes.data(), scales.data());
  view = w;
  view.layout = Layout::row_major;
  view.quant = {scales, zero_points, 0, 0};
  view.data = codes.data();
}

}  // namespace pith
