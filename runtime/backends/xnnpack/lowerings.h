// One lowering function per operator family; the table in xnnpack_backend.cc maps operator tags to them.
// Each is called with every dim known, no dim 0, every tensor within size limits, XNNPACK initialized.
#pragma once
#include "runtime/backends/xnnpack/xnn_operator.h"

namespace pith {

Status lower_conv(const NodeView& node, Lowering& low);
Status lower_deconv(const NodeView& node, Lowering& low);
Status lower_fully_connected(const NodeView& node, Lowering& low);
Status lower_matmul(const NodeView& node, Lowering& low);
Status lower_pool(const NodeView& node, Lowering& low);
Status lower_reduce(const NodeView& node, Lowering& low);
Status lower_unary(const NodeView& node, Lowering& low);
Status lower_binary(const NodeView& node, Lowering& low);
Status lower_attention(const NodeView& node, Lowering& low);
Status lower_softmax(const NodeView& node, Lowering& low);
Status lower_resize(const NodeView& node, Lowering& low);
Status lower_quantize(const NodeView& node, Lowering& low);
Status lower_dequantize(const NodeView& node, Lowering& low);
Status lower_cast(const NodeView& node, Lowering& low);
Status lower_transpose(const NodeView& node, Lowering& low);

}  // namespace pith
