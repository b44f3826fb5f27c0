// The window of a Pool node; shapes known. Defined in pool_op.cc.
#pragma once
#include "kernels/conv/window.h"
#include "runtime/ops/op.h"

namespace pith {

kernels::Window pool_window(const NodeView& node);

}  // namespace pith
