// A planned model as one self-contained web page: graph, memory plan, kernels, tensors. For `pith inspect --html`.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "runtime/exec/session.h"

namespace pith::cli {

// `summary` is what `pith inspect --kernels --memory --json` prints; the graph's edges and the tensors' places in the arena
// are taken from the session.
std::string graph_page(const std::string& title, const nlohmann::ordered_json& summary,
                       const Session& session);

}  // namespace pith::cli
