// The graph verifier.
#include "converter/ir/verify.h"

#include <algorithm>
#include <set>

namespace pith::ir {
namespace {

class Verifier {
 public:
  Verifier(const Graph& graph, const char* after) : graph_(graph), after_(after) {}

  Status run() {
    for (const auto& v : graph_.values())
      if (v->is_constant()) defined_.insert(v.get());
    for (const Value* v : graph_.inputs) defined_.insert(v);
    PITH_RETURN_IF_ERROR(block(graph_.main));
    for (const Output& out : graph_.outputs) PITH_RETURN_IF_ERROR(use(out.value, "output " + out.name));
    return Status::ok();
  }

 private:
  Status fail(const std::string& what) const {
    return Status(Code::internal, "after " + std::string(after_) + " the graph is inconsistent: " + what);
  }
  Status use(const Value* v, const std::string& who) const {
    return defined_.count(v) != 0 ? Status::ok() : fail(who + " reads '" + v->name + "' before it is made");
  }

  Status block(const Block& b) {
    std::vector<const Value*> local;
    for (const auto& node : b.nodes) {
      if (node->parent != &b) return fail("node '" + node->name + "' is in another block than it says");
      for (const Value* v : node->inputs) {
        if (v == nullptr) continue;
        PITH_RETURN_IF_ERROR(use(v, node->name));
        if (std::find(v->readers.begin(), v->readers.end(), node.get()) == v->readers.end())
          return fail("'" + v->name + "' does not know its reader '" + node->name + "'");
      }
      for (const auto& inner : node->blocks) PITH_RETURN_IF_ERROR(block(*inner));
      for (const Value* v : node->outputs) {
        if (v == nullptr) continue;
        if (v->producer != node.get() || v->is_constant())
          return fail("'" + v->name + "' has a wrong producer");
        if (!defined_.insert(v).second) return fail("'" + v->name + "' is made twice");
        local.push_back(v);
      }
    }
    for (const Value* v : b.outputs) PITH_RETURN_IF_ERROR(use(v, "a block's result"));
    if (b.owner != nullptr)
      for (const Value* v : local) defined_.erase(v);
    return Status::ok();
  }

  const Graph& graph_;
  const char* after_;
  std::set<const Value*> defined_;
};

}  // namespace

Status verify(const Graph& graph, const char* after) { return Verifier(graph, after).run(); }

}  // namespace pith::ir
