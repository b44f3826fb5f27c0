// FullyConnected by our own kernels: float rows times packed weights here, 8-bit codes in own_conv.cc.
#include "runtime/backends/pith/own_kernels.h"
#include "runtime/backends/pith/own_nodes.h"
#include "runtime/ops/panel_codes.h"
#include "runtime/ops/panel_product.h"

namespace pith {

Status own_fully_connected(const NodeView& node, PrepareContext& context) {
  if (!has_panels(node) || has_code_panels(node)) return take_fully_connected(node, context);
  return prepare_panel_product(node, context, context.cpu(), kPithOwner);
}

}  // namespace pith
