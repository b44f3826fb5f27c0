// merge_equal_nodes: two nodes with the same operator, options and inputs compute the same (common
// subexpressions), and equal small constants are one constant.
#include <map>
#include <string>

#include "converter/passes/pass.h"

namespace pith {
namespace {

void append(std::string* key, const void* bytes, size_t size) {
  key->append(static_cast<const char*>(bytes), size);
}

// A key that is equal exactly when options and inputs are.
std::string key_of(const ir::Node& node) {
  flatbuffers::FlatBufferBuilder builder(256);
  builder.Finish(flatbuffers::Offset<flatbuffers::Table>(node.op.Pack(builder).o));
  std::string key;
  append(&key, &node.op.type, sizeof node.op.type);
  append(&key, builder.GetBufferPointer(), builder.GetSize());
  const ir::Block* block = node.parent;
  // The pointers themselves are the key. NOLINTBEGIN(bugprone-sizeof-expression)
  append(&key, &block, sizeof block);  // a value of one branch is not visible in another
  for (const ir::Value* v : node.inputs) append(&key, &v, sizeof v);
  // NOLINTEND(bugprone-sizeof-expression)
  const size_t outputs = node.outputs.size();
  append(&key, &outputs, sizeof outputs);
  return key;
}

constexpr size_t kSmallConstant = 1024;

void merge_constants(ir::Graph& graph) {
  std::map<std::string, ir::Value*> seen;
  for (const auto& v : graph.values()) {
    if (!v->is_constant() || v->readers.empty() || v->constant->size > kSmallConstant || v->quant) continue;
    std::string key;
    append(&key, &v->dtype, sizeof v->dtype);
    const int rank = v->shape.rank();
    append(&key, &rank, sizeof rank);
    append(&key, v->shape.dims().data(), v->shape.dims().size_bytes());
    append(&key, v->constant->get(), v->constant->size);
    const auto [at, added] = seen.emplace(std::move(key), v.get());
    if (!added) graph.replace_uses(v.get(), at->second);
  }
}

}  // namespace

Status merge_equal_nodes(ir::Graph& graph, PassReport& report) {
  merge_constants(graph);
  std::map<std::string, ir::Node*> seen;
  for (ir::Node* node : graph.in_order()) {
    if (!graph.alive(node) || node->is(schema::Op::IfOptions)) continue;
    const auto [at, added] = seen.emplace(key_of(*node), node);
    if (added) continue;
    bool same_types = true;
    for (size_t i = 0; i < node->outputs.size(); ++i) {
      const ir::Value* a = node->outputs[i];
      const ir::Value* b = at->second->outputs[i];
      same_types =
          same_types && (a == nullptr || (b != nullptr && a->dtype == b->dtype && a->quant == b->quant));
    }
    if (!same_types) continue;
    for (size_t i = 0; i < node->outputs.size(); ++i)
      if (node->outputs[i] != nullptr) graph.replace_uses(node->outputs[i], at->second->outputs[i]);
    report.fired(node->name);
    graph.erase(node);
  }
  return Status::ok();
}

}  // namespace pith
