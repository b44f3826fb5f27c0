// ir::Graph -> .pith file: tensor table, program, weight segment. Deterministic: same graph and options, same
// bytes.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "converter/ir/graph.h"

namespace pith {

struct EmitOptions {
  std::vector<std::pair<std::string, std::string>> metadata;  // recipe, source hash, certificate
};

// Writes atomically: the path holds the whole model or is untouched.
Status emit_file(const ir::Graph& graph, const EmitOptions& options, const std::string& path);

// The same bytes in memory, 128-byte aligned: calibration and evaluation run the graph from here.
Result<ir::Bytes> emit_memory(const ir::Graph& graph, const EmitOptions& options);

}  // namespace pith
