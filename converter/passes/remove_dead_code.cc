// remove_dead_code: drops nodes none of whose results are used.
#include "converter/passes/pass.h"

namespace pith {

Status remove_dead_code(ir::Graph& graph, PassReport& report) {
  std::vector<ir::Node*> order = graph.in_order();
  for (size_t i = order.size(); i-- > 0;) {  // backwards: readers go before what they read
    ir::Node* node = order[i];
    if (!graph.alive(node)) continue;
    bool used = false;
    for (ir::Value*& v : node->outputs) {
      if (v == nullptr) continue;
      if (graph.use_count(v) > 0) used = true;
    }
    if (used) continue;
    report.fired(node->name);
    graph.erase(node);
  }
  return Status::ok();
}

}  // namespace pith
