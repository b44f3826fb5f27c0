// int8-dynamic: constant weights of matrix products and convolutions become int8 codes per output channel; the device
// quantizes each row of the float input (of a convolution: what lies under its window) as it comes. Needs no data.
// Convolutions in groups stay float: the device has no such kernel for them.
#pragma once
#include <string>
#include <vector>

#include "converter/ir/graph.h"
#include "converter/quantize/packable.h"
#include "runtime/base/status.h"

namespace pith::quantize {

struct DynamicInt8Report {
  size_t quantized_products = 0, float_products = 0;  // of the wanted ones with constant weights
  std::vector<std::string> kept_float;                // why
};

// The graph's passes have run; pack_dynamic_products() must follow, as only packed convolutions can run. unsupported when
// there is no product to quantize: the file would be a float one.
Result<DynamicInt8Report> quantize_dynamic_int8(ir::Graph& graph, const NodeFilter& wanted = {});

}  // namespace pith::quantize
