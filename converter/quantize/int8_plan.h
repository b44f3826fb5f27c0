// Decides, on the float graph, which nodes run on int8 codes and which tensors must share one grid.
//   product      Conv, ConvTranspose, FullyConnected with constant weights: where int8 pays; always taken
//   elementwise  add, sub, mul, smooth unary functions, average pooling: input and output have grids of their
//   own same_grid    max pooling, concat, reshape, transpose, slice ...: values move, the grid stays
// The last two are taken only between products: every input already exists as codes, and a product reads the
// result, perhaps through others of their kind. So no conversion is added for their sake, and the tail of a
// detection head (boxes beside scores in one concat) stays float. Nodes inside If branches stay float.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "converter/ir/graph.h"
#include "converter/quantize/int8_grid.h"

namespace pith::quantize {

enum class Int8Role : uint8_t { none, product, elementwise, same_grid };
const char* name_of(Int8Role role);

struct PlannedNode {
  ir::Node* node = nullptr;
  Int8Role role = Int8Role::none;
  bool active = false;
  std::string reason;  // why not, if not active
};

struct GridGroup {
  std::vector<ir::Value*> values;  // share one grid; in execution order
  std::optional<Int8Grid> fixed;   // known without data: sigmoid, tanh and what only moves their values
  bool leaves = false;             // a graph output, or read by a float node: not to be clipped
};

struct Int8Plan {
  std::vector<PlannedNode> nodes;  // of the main block, in execution order
  std::vector<GridGroup> groups;
  std::map<const ir::Value*, size_t> group_of;
  std::vector<ir::Value*> values() const;  // of all groups
  bool active(const ir::Node* node) const { return active_nodes.count(node) != 0; }
  std::set<const ir::Node*> active_nodes;
};

// keep_float: nodes to leave alone, with the reason to report.
Int8Plan plan_int8(const ir::Graph& graph, const std::map<const ir::Node*, std::string>& keep_float);

// The inputs and outputs of a node that carry activations; constants and omitted ones left out.
std::vector<ir::Value*> activation_inputs(const ir::Node& node, Int8Role role);
std::vector<ir::Value*> activation_outputs(const ir::Node& node);

}  // namespace pith::quantize
