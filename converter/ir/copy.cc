// Graph::copy: the same values, nodes and blocks again; the bytes of constants are shared.
#include <map>

#include "converter/ir/graph.h"

namespace pith::ir {
namespace {

using ValueMap = std::map<const Value*, Value*>;

std::vector<Value*> mapped(const ValueMap& of, const std::vector<Value*>& values) {
  std::vector<Value*> out;
  for (const Value* v : values) out.push_back(v == nullptr ? nullptr : of.at(v));
  return out;
}

void copy_block(const Block& from, const ValueMap& of, Graph& graph, Block& to) {
  for (const auto& node : from.nodes) {
    Node* made = graph.add_node(to, nullptr, node->name, node->op, mapped(of, node->inputs), 0);
    made->outputs = mapped(of, node->outputs);
    for (Value* v : made->outputs)
      if (v != nullptr) v->producer = made;
    for (const auto& block : node->blocks) copy_block(*block, of, graph, *graph.add_block(made));
  }
  to.outputs = mapped(of, from.outputs);
}

}  // namespace

std::unique_ptr<Graph> Graph::copy() const {
  auto out = std::make_unique<Graph>();
  ValueMap of;
  for (const auto& v : values_) {
    Value* made = out->add_value(v->name);
    *made = *v;
    made->producer = nullptr;
    made->readers.clear();
    of.emplace(v.get(), made);
  }
  out->name = name;
  out->inputs = mapped(of, inputs);
  for (const Output& o : outputs) out->outputs.push_back({o.name, of.at(o.value)});
  copy_block(main, of, *out, out->main);
  out->name_counter_ = name_counter_;
  return out;
}

}  // namespace pith::ir
