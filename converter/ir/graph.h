// The converter's graph: values, nodes, blocks. Mutable; owned by one thread.
//   Graph owns everything. A Node sits in a Block; an If node owns two more blocks, whose nodes may read
//   outer values. Options are the schema's own object types (schema::ConvOptionsT ...), so there is one
//   definition of every attribute. Links are kept in both directions: change inputs only through Graph.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/base/types.h"
#include "pith/schema/ops_generated.h"
#include "runtime/base/shape.h"
#include "runtime/base/status.h"

namespace pith::ir {

struct Node;
struct Block;

struct Deferred;  // deferred.h

// Bytes of a constant; `owner` keeps them alive (a heap buffer or a mapped file). At least 16-byte aligned. Those of models
// larger than memory are not here: they are mapped from the source's data files, or `deferred`: made when they are needed.
struct Bytes {
  std::shared_ptr<const void> owner;
  const uint8_t* data = nullptr;  // null while deferred: read by get()
  size_t size = 0;
  bool mapped = false;  // a view into a file
  std::shared_ptr<const Deferred> deferred = {};

  // Deferred bytes are made once and then held: for small ones. Large ones are made by deferred->make and let go.
  const uint8_t* get() const;
  bool streamed() const { return mapped || deferred != nullptr; }
};
// A new zeroed buffer; *writable points at it.
Bytes new_bytes(size_t size, uint8_t** writable);

struct Quant {  // as schema::Quantization
  std::vector<float> scales;
  std::vector<int32_t> zero_points;
  int axis = -1;
  uint32_t group = 0;
  bool operator==(const Quant&) const = default;
  bool per_tensor() const { return scales.size() == 1 && group == 0; }
};

struct Value {
  std::string name;
  DType dtype = DType::none;
  Shape shape = Shape::unknown_rank();
  std::vector<std::string> dim_names;  // of graph inputs: empty or one per dim
  std::optional<Quant> quant;
  std::optional<Bytes> constant;
  Layout layout =
      Layout::row_major;         // of the constant's bytes; packed ones are made last, right before emission
  uint16_t group = 0;            // packed: K per group scale
  std::vector<int8_t> codebook;  // Layout::lut4
  Node* producer = nullptr;      // null: graph input or constant
  std::vector<Node*> readers;    // one entry per use; results of blocks and of the graph are not counted here
  bool is_constant() const { return constant.has_value(); }
  template <class T>
  std::span<const T> elements() const {  // of a constant
    return {reinterpret_cast<const T*>(constant->get()), constant->size / sizeof(T)};
  }
};

struct Node {
  std::string name;
  schema::OpUnion op;
  std::vector<Value*> inputs;                  // null: omitted
  std::vector<Value*> outputs;                 // null: unused
  std::vector<std::unique_ptr<Block>> blocks;  // If: then, else
  Block* parent = nullptr;

  bool is(schema::Op tag) const { return op.type == tag; }
  template <class OptionsT>
  OptionsT* as() {  // null when the node is another operator
    return op.type == schema::OpUnionTraits<OptionsT>::enum_value ? static_cast<OptionsT*>(op.value)
                                                                  : nullptr;
  }
  template <class OptionsT>
  const OptionsT* as() const {
    return const_cast<Node*>(this)->as<OptionsT>();
  }
  Value* in(size_t i) const { return i < inputs.size() ? inputs[i] : nullptr; }
  Value* out(size_t i = 0) const { return i < outputs.size() ? outputs[i] : nullptr; }
};

struct Block {
  std::list<std::unique_ptr<Node>> nodes;  // in execution order
  std::vector<Value*> outputs;             // of an If block
  Node* owner = nullptr;                   // the If; null for the main block
};

struct Output {
  std::string name;
  Value* value = nullptr;
};

class Graph {
 public:
  std::string name;
  Block main;
  std::vector<Value*> inputs;
  std::vector<Output> outputs;

  Value* add_value(std::string value_name, DType dtype = DType::none, Shape shape = Shape::unknown_rank());
  Value* add_constant(std::string value_name, DType dtype, const Shape& shape, Bytes bytes);
  Value* add_i64(std::string value_name, std::span<const int64_t> values);  // rank 1
  Value* add_i64(std::string value_name, std::initializer_list<int64_t> values) {
    return add_i64(std::move(value_name), std::span(values.begin(), values.size()));
  }
  Value* add_f32(std::string value_name, const Shape& shape, std::span<const float> values);

  // A new node with `outputs` fresh values named name, name:1 ...; appended, or before `before` in its block.
  Node* add_node(Block& block, Node* before, std::string node_name, schema::OpUnion op,
                 std::vector<Value*> node_inputs, size_t output_count = 1);
  template <class OptionsT>
  Node* insert_before(Node* before, std::string node_name, OptionsT options, std::vector<Value*> node_inputs,
                      size_t output_count = 1) {
    schema::OpUnion op;
    op.Set(std::move(options));
    return add_node(*before->parent, before, std::move(node_name), std::move(op), std::move(node_inputs),
                    output_count);
  }
  // Right after `after` in its block.
  template <class OptionsT>
  Node* insert_after(Node* after, std::string node_name, OptionsT options, std::vector<Value*> node_inputs,
                     size_t output_count = 1) {
    schema::OpUnion op;
    op.Set(std::move(options));
    return add_node(*after->parent, next(after), std::move(node_name), std::move(op), std::move(node_inputs),
                    output_count);
  }
  Node* next(Node* node) const;  // null at the end of the block
  Block* add_block(Node* owner);

  void set_input(Node* node, size_t i, Value* value);  // grows the list when needed
  void set_inputs(Node* node, std::vector<Value*> node_inputs);
  void replace_uses(Value* old_value, Value* new_value);    // readers, block results, graph outputs
  void replace_output(Node* node, size_t i, Value* value);  // node now makes `value`, which has no producer
  void erase(Node* node);                                   // its outputs must be unused
  bool is_output(const Value* value) const;                 // of the graph or of any block
  size_t use_count(const Value* value) const;               // readers + graph outputs (+ block results)

  // A snapshot in execution order, nodes of nested blocks right before their If. Removal while walking is
  // safe when a pass checks `alive`.
  std::vector<Node*> in_order() const;
  bool alive(const Node* node) const;
  const std::vector<std::unique_ptr<Value>>& values() const { return values_; }
  void drop_unused_values();
  std::string unique_name(const std::string& base);
  // A graph of its own in the same state; constants share their bytes, which nobody writes to once made.
  std::unique_ptr<Graph> copy() const;

 private:
  void link(Node* node, Value* value);
  void unlink(Node* node, Value* value);
  std::vector<std::unique_ptr<Value>> values_;
  std::vector<std::unique_ptr<Node>> graveyard_;  // erased nodes stay addressable until the graph dies
  std::vector<Block*> nested_;                    // blocks of living If nodes
  size_t name_counter_ = 0;
};

}  // namespace pith::ir
