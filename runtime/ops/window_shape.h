// Sliding windows of Conv, ConvInteger, ConvTranspose and Pool: option checks, output sizes, and the kernels'
// geometry.
#pragma once
#include "kernels/conv/window.h"
#include "runtime/ops/op.h"

namespace pith {

// Strides, dilations, pads and kernel dims stay below this, so that no product can overflow.
inline constexpr int64_t kMaxWindowValue = 1 << 20;

using DimList = flatbuffers::Vector<uint32_t>;  // of the options; null or empty: the default everywhere

struct WindowOptions {
  const DimList* strides = nullptr;    // one per spatial dim, >= 1
  const DimList* pads = nullptr;       // begins, then ends
  const DimList* dilations = nullptr;  // one per spatial dim, >= 1
  bool ceil_mode = false;
};
template <class Options>
WindowOptions window_options(const Options& o) {
  return {o.strides(), o.pads(), o.dilations(), false};
}

// Ranges that do not depend on the rank.
Status check_window(const NodeView& node, const WindowOptions& o);
Status expect_window_values(const NodeView& node, const char* what, const DimList* list, uint32_t lowest);
Status expect_window_length(const NodeView& node, const char* what, const DimList* list, uint32_t length);
inline int64_t window_value(const DimList* list, int i, int64_t otherwise) {
  return list == nullptr || list->size() == 0 ? otherwise : list->Get(static_cast<uint32_t>(i));
}

// The spatial dims of a channels-last tensor (rank 3 to 5); error otherwise.
Status spatial_dims(const NodeView& node, const TensorView& t, const char* role, Shape* out);
// out = (in + pads - reach) / stride + 1, rounded down, or up in ceil_mode; a window that would begin in the
// end padding is dropped. Unknown dims stay unknown.
Status window_output(const NodeView& node, const WindowOptions& o, const Shape& in, const Shape& kernel,
                     Shape* out);
// Everything known and inferred.
kernels::Window window_of(const WindowOptions& o, const Shape& in, const Shape& kernel, const Shape& out);

// Channels, groups and, where given, the bias (input `bias`) of a convolution fit together.
Status expect_conv_weights(const NodeView& node, uint32_t groups, size_t bias);
// Conv and ConvInteger: y from x[N, spatial.., C], w[O, spatial.., C / groups] and, where given, bias[O]
// (input `bias`).
Status infer_conv(const NodeView& node, const WindowOptions& o, uint32_t groups, size_t bias);
kernels::Window conv_window(const NodeView& node, const WindowOptions& o);

}  // namespace pith
