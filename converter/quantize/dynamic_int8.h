// int8-dynamic: constant weights of matrix products become int8 codes per output channel; the device
// quantizes each row of the float input as it comes. Needs no data. Convolutions stay float: the device has
// no such kernel for them.
#pragma once
#include <string>
#include <vector>

#include "converter/ir/graph.h"
#include "runtime/base/status.h"

namespace pith::quantize {

struct DynamicInt8Report {
  size_t quantized_products = 0,
         float_products = 0;            // matrix products and convolutions with constant weights
  std::vector<std::string> kept_float;  // why, per node that might have been quantized
};

// The graph's passes have run. unsupported when there is no product to quantize: the file would be a float
// one.
Result<DynamicInt8Report> quantize_dynamic_int8(ir::Graph& graph);

}  // namespace pith::quantize
