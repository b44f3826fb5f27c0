// Builds small models for tests: an ir::Graph with shapes inferred, and the same as an opened .pith in
// memory.
//   GraphMaker g;
//   ir::Value* x = g.input("x", DType::f32, {2, 3});
//   g.output("y", g.unary(schema::UnaryKind::relu, x));
//   std::shared_ptr<const Model> model = g.open();
#pragma once
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "converter/emit/emit.h"
#include "converter/ir/evaluate.h"
#include "converter/ir/graph.h"
#include "runtime/model/model.h"

namespace pith {

class GraphMaker {
 public:
  ir::Graph graph;

  ir::Value* input(const std::string& name, DType dtype, const Shape& shape) {
    ir::Value* v = graph.add_value(name, dtype, shape);
    graph.inputs.push_back(v);
    return v;
  }
  void output(const std::string& name, ir::Value* v) { graph.outputs.push_back({name, v}); }

  template <class OptionsT>
  ir::Value* node(const std::string& name, OptionsT options, std::vector<ir::Value*> inputs) {
    return in_block(graph.main, name, std::move(options), std::move(inputs));
  }
  template <class OptionsT>
  ir::Value* in_block(ir::Block& block, const std::string& name, OptionsT options,
                      std::vector<ir::Value*> inputs) {
    schema::OpUnion op;
    op.Set(std::move(options));
    ir::Node* n = graph.add_node(block, nullptr, name, std::move(op), std::move(inputs));
    const Status s = ir::infer_node(*n);
    REQUIRE_MESSAGE(s.is_ok(), s.message());
    return n->out();
  }
  ir::Value* unary(schema::UnaryKind kind, ir::Value* x, ir::Block* block = nullptr) {
    schema::UnaryOptionsT o;
    o.kind = kind;
    return in_block(block == nullptr ? graph.main : *block, graph.unique_name("unary"), std::move(o), {x});
  }
  ir::Value* binary(schema::BinaryKind kind, ir::Value* a, ir::Value* b) {
    schema::BinaryOptionsT o;
    o.kind = kind;
    return node(graph.unique_name("binary"), std::move(o), {a, b});
  }
  ir::Value* transpose(ir::Value* x, std::vector<uint32_t> perm) {
    schema::TransposeOptionsT o;
    o.perm = std::move(perm);
    return node(graph.unique_name("transpose"), std::move(o), {x});
  }
  ir::Value* f32(const Shape& shape, std::vector<float> values) {
    return graph.add_f32(graph.unique_name("const"), shape, values);
  }

  std::shared_ptr<const Model> open() {
    Result<ir::Bytes> bytes = emit_memory(graph, {});
    REQUIRE_MESSAGE(bytes.is_ok(), bytes.status().message());
    bytes_ = std::move(bytes).value();
    auto model = Model::from_memory({bytes_.data, bytes_.size});
    REQUIRE_MESSAGE(model.is_ok(), model.status().message());
    return model.value();
  }
  const ir::Bytes& bytes() const { return bytes_; }

 private:
  ir::Bytes bytes_;  // the model reads from here
};

}  // namespace pith
