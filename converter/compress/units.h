// Units: the layers that change precision together, and the formats each may take.
// A unit is a product with constant weights (convolution, matrix product); products that read the same tensor (query,
// key and value; gate and up) are one unit, because the input is quantized once for all of them.
#pragma once
#include <string>
#include <vector>

#include "converter/compress/layer_format.h"
#include "converter/ir/graph.h"

namespace pith::compress {

struct Unit {
  std::string name;  // of the first node
  std::string op;
  std::vector<std::string> nodes;    // in execution order
  uint64_t weights = 0;              // numbers of them
  std::vector<LayerFormat> formats;  // that every node can take; fp32 first
};

// Gives every node of the graph a name of its own, so that names identify layers.
void name_all_nodes(ir::Graph& graph);
// Of the main block; null when there is none.
ir::Node* node_called(const ir::Graph& graph, const std::string& name);

// `graph`: float, passes run, all nodes named. `candidates`: formats to consider.
std::vector<Unit> find_units(const ir::Graph& graph, const std::vector<LayerFormat>& candidates);

}  // namespace pith::compress
