// Layers that are expected to take longer with codes than with floats: the converter says so, and the user can keep them float.
#pragma once
#include <string>
#include <vector>

#include "converter/ir/graph.h"

namespace pith {

struct SlowerLayer {
  std::string name, op;
  uint64_t codes_ns = 0, float_ns = 0;  // by the cost table, on one thread of this processor
};

// Nodes of the quantized graph that work on 8-bit codes and whose namesake of the float graph is expected to be quicker, each by
// the backend that takes it. An error: one of them cannot be planned (unknown sizes, say).
Result<std::vector<SlowerLayer>> slower_layers(const ir::Graph& floats, const ir::Graph& quantized);

// A line for the report, "" when there are none.
std::string slower_note(const std::vector<SlowerLayer>& layers);

}  // namespace pith
