// Attributes and layouts that convolutions and pooling share: ONNX is channels first, Pith channels last.
#pragma once
#include "converter/ops/import.h"

namespace pith {

// Ok when none of these inputs is omitted.
Status need_inputs(ImportContext& c, std::initializer_list<size_t> inputs);

// [N, C, spatial..] <-> [N, spatial.., C], for a tensor of `rank` dims.
ir::Value* to_channels_last(ImportContext& c, ir::Value* x, int rank);
ir::Value* to_channels_first(ImportContext& c, ir::Value* x, int rank);
// Weights in another order of dims. Codes behind a Dequantize are moved before they are dequantized.
ir::Value* permute_weights(ImportContext& c, ir::Value* w, const std::vector<uint32_t>& perm);
// A constant, or a constant behind a Dequantize.
bool is_constant_weight(const ir::Value* v);

struct WindowAttributes {
  std::vector<uint32_t> kernel, strides, dilations, pads;
};
// `kernel`: sizes where the weights tell them, else empty and the attribute kernel_shape is read. `x`: the
// channels-first input, whose spatial dims decide the padding of auto_pad SAME_*.
Status read_window(ImportContext& c, const ir::Value* x, std::vector<int64_t> kernel, WindowAttributes* out);
// Numbers of an attribute as the options store them; refuses what lies outside [lowest, 2^20].
Status read_counts(ImportContext& c, const char* name, int64_t lowest, std::vector<uint32_t>* out);

// The activation of com.microsoft fused operators: attributes activation and activation_params.
Status apply_activation(ImportContext& c, ir::Value** y);

}  // namespace pith
