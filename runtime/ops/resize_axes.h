// Which axes a Resize changes, from its options and inputs, which must be known.
#pragma once
#include "runtime/ops/op.h"
#include "runtime/ops/resize_table.h"

namespace pith {

// In rising order; those that keep every element where it is are left out.
Status changing_axes(const NodeView& node, std::vector<ResizeAxis>* axes);  // resize_op.cc

}  // namespace pith
