// The functions of the table in pith_backend.cc.
#pragma once
#include "runtime/ops/op.h"

namespace pith {

Status take_conv(const NodeView& node, PrepareContext& context);             // own_conv.cc
Status take_fully_connected(const NodeView& node, PrepareContext& context);  // own_conv.cc
Status take_conv_transpose(const NodeView& node, PrepareContext& context);   // own_conv_parts.cc
Status take_unary(const NodeView& node, PrepareContext& context);            // own_codes.cc
Status take_binary(const NodeView& node, PrepareContext& context);           // own_codes.cc
Status take_resize(const NodeView& node, PrepareContext& context);           // own_resize.cc
Status take_pool(const NodeView& node, PrepareContext& context);             // own_pool.cc
Status take_reduce(const NodeView& node, PrepareContext& context);           // own_pool.cc
Status take_quantize(const NodeView& node, PrepareContext& context);         // own_codes.cc

}  // namespace pith
