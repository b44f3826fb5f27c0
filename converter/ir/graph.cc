// Links between values and nodes.
#include "converter/ir/graph.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace pith::ir {

Bytes new_bytes(size_t size, uint8_t** writable) {
  constexpr size_t kAlignment = 128;
  auto* p =
      static_cast<uint8_t*>(std::aligned_alloc(kAlignment, (size + kAlignment) / kAlignment * kAlignment));
  if (p == nullptr) std::abort();  // callers bound sizes from files long before memory ends
  std::memset(p, 0, size);
  *writable = p;
  return {std::shared_ptr<const void>(p, [](const void* q) { std::free(const_cast<void*>(q)); }), p, size};
}

std::string Graph::unique_name(const std::string& base) {
  return base + "#" + std::to_string(++name_counter_);
}

Value* Graph::add_value(std::string value_name, DType dtype, Shape shape) {
  auto value = std::make_unique<Value>();
  value->name = std::move(value_name);
  value->dtype = dtype;
  value->shape = shape;
  return values_.emplace_back(std::move(value)).get();
}

Value* Graph::add_constant(std::string value_name, DType dtype, const Shape& shape, Bytes bytes) {
  Value* value = add_value(std::move(value_name), dtype, shape);
  value->constant = std::move(bytes);
  return value;
}

Value* Graph::add_i64(std::string value_name, std::span<const int64_t> values) {
  uint8_t* p = nullptr;
  Bytes bytes = new_bytes(values.size_bytes(), &p);
  if (!values.empty()) std::memcpy(p, values.data(), values.size_bytes());
  return add_constant(std::move(value_name), DType::i64, Shape{static_cast<int64_t>(values.size())},
                      std::move(bytes));
}

Value* Graph::add_f32(std::string value_name, const Shape& shape, std::span<const float> values) {
  uint8_t* p = nullptr;
  Bytes bytes = new_bytes(values.size_bytes(), &p);
  if (!values.empty()) std::memcpy(p, values.data(), values.size_bytes());
  return add_constant(std::move(value_name), DType::f32, shape, std::move(bytes));
}

Node* Graph::add_node(Block& block, Node* before, std::string node_name, schema::OpUnion op,
                      std::vector<Value*> node_inputs, size_t output_count) {
  auto node = std::make_unique<Node>();
  node->name = std::move(node_name);
  node->op = std::move(op);
  node->parent = &block;
  for (size_t i = 0; i < output_count; ++i) {
    Value* out = add_value(i == 0 ? node->name : node->name + ":" + std::to_string(i));
    out->producer = node.get();
    node->outputs.push_back(out);
  }
  Node* raw = node.get();
  auto at = block.nodes.end();
  if (before != nullptr)
    at = std::find_if(block.nodes.begin(), block.nodes.end(),
                      [&](const auto& n) { return n.get() == before; });
  block.nodes.insert(at, std::move(node));
  set_inputs(raw, std::move(node_inputs));
  return raw;
}

Block* Graph::add_block(Node* owner) {
  Block* block = owner->blocks.emplace_back(std::make_unique<Block>()).get();
  block->owner = owner;
  nested_.push_back(block);
  return block;
}

Node* Graph::next(Node* node) const {
  auto& nodes = node->parent->nodes;
  auto at = std::find_if(nodes.begin(), nodes.end(), [&](const auto& n) { return n.get() == node; });
  return at == nodes.end() || ++at == nodes.end() ? nullptr : at->get();
}

void Graph::link(Node* node, Value* value) {
  if (value != nullptr) value->readers.push_back(node);
}

void Graph::unlink(Node* node, Value* value) {
  if (value == nullptr) return;
  const auto at = std::find(value->readers.begin(), value->readers.end(), node);
  if (at != value->readers.end()) value->readers.erase(at);
}

void Graph::set_input(Node* node, size_t i, Value* value) {
  if (i >= node->inputs.size()) node->inputs.resize(i + 1, nullptr);
  unlink(node, node->inputs[i]);
  node->inputs[i] = value;
  link(node, value);
}

void Graph::set_inputs(Node* node, std::vector<Value*> node_inputs) {
  for (Value* v : node->inputs) unlink(node, v);
  node->inputs = std::move(node_inputs);
  for (Value* v : node->inputs) link(node, v);
}

void Graph::replace_uses(Value* old_value, Value* new_value) {
  const std::vector<Node*> readers = old_value->readers;
  for (Node* reader : readers)
    for (size_t i = 0; i < reader->inputs.size(); ++i)
      if (reader->inputs[i] == old_value) set_input(reader, i, new_value);
  for (Output& out : outputs)
    if (out.value == old_value) out.value = new_value;
  for (Block* block : nested_)
    std::replace(block->outputs.begin(), block->outputs.end(), old_value, new_value);
}

void Graph::replace_output(Node* node, size_t i, Value* value) {
  if (node->outputs[i] != nullptr) node->outputs[i]->producer = nullptr;
  node->outputs[i] = value;
  if (value != nullptr) value->producer = node;
}

void Graph::erase(Node* node) {
  set_inputs(node, {});
  for (Value* v : node->outputs)
    if (v != nullptr) v->producer = nullptr;
  for (auto& block : node->blocks) {
    while (!block->nodes.empty()) erase(block->nodes.back().get());
    block->outputs.clear();
    std::erase(nested_, block.get());
  }
  auto& nodes = node->parent->nodes;
  const auto at = std::find_if(nodes.begin(), nodes.end(), [&](const auto& n) { return n.get() == node; });
  if (at == nodes.end()) return;
  graveyard_.push_back(std::move(*at));
  nodes.erase(at);
  node->parent = nullptr;
}

bool Graph::is_output(const Value* value) const {
  for (const Output& out : outputs)
    if (out.value == value) return true;
  for (const Block* block : nested_)
    if (std::find(block->outputs.begin(), block->outputs.end(), value) != block->outputs.end()) return true;
  return false;
}

size_t Graph::use_count(const Value* value) const {
  size_t n = value->readers.size();
  for (const Output& out : outputs) n += out.value == value;
  for (const Block* block : nested_)
    n += static_cast<size_t>(std::count(block->outputs.begin(), block->outputs.end(), value));
  return n;
}

namespace {
void walk(const Block& block, std::vector<Node*>* order) {
  for (const auto& node : block.nodes) {
    for (const auto& inner : node->blocks) walk(*inner, order);
    order->push_back(node.get());
  }
}
}  // namespace

std::vector<Node*> Graph::in_order() const {
  std::vector<Node*> order;
  walk(main, &order);
  return order;
}

bool Graph::alive(const Node* node) const { return node->parent != nullptr; }

void Graph::drop_unused_values() {
  std::erase_if(values_, [&](const std::unique_ptr<Value>& v) {
    return v->producer == nullptr && use_count(v.get()) == 0 &&
           std::find(inputs.begin(), inputs.end(), v.get()) == inputs.end();
  });
}

}  // namespace pith::ir
