// Checks of the graph's own invariants, and its text form.
#pragma once
#include <string>

#include "converter/ir/graph.h"

namespace pith::ir {

// Links agree in both directions, everything is made before it is used, every value has one maker.
// Code::internal: our bug.
Status verify(const Graph& graph, const char* after);

// One line per node: %out: dtype[shape] = Op(%in, ...) {options}
std::string print(const Graph& graph);

}  // namespace pith::ir
