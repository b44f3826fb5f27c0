// Small IR graphs with weights, built by name: what planning and quantization tests work on.
#pragma once
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "converter/ir/evaluate.h"
#include "converter/ir/graph.h"
#include "tests/support/distributions.h"

namespace pith::testing {

class TinyGraph {
 public:
  ir::Value* input(const std::string& name, Shape shape) {
    ir::Value* v = graph.add_value(name, DType::f32, shape);
    graph.inputs.push_back(v);
    return v;
  }
  // y[.., outputs], random weights of variance 1 / inputs.
  ir::Value* dense(const std::string& name, ir::Value* x, int64_t inputs, int64_t outputs,
                   schema::FullyConnectedOptionsT options = {}) {
    const auto w = normals(static_cast<size_t>(inputs * outputs), 0, 1 / std::sqrt(double(inputs)), ++seed_);
    const auto b = normals(static_cast<size_t>(outputs), 0, 0.1, ++seed_);
    return add(
        name, options,
        {x, graph.add_f32(name + ".w", {outputs, inputs}, w), graph.add_f32(name + ".b", {outputs}, b)}, x,
        outputs);
  }
  ir::Value* unary(const std::string& name, schema::UnaryKind kind, ir::Value* x) {
    schema::UnaryOptionsT o;
    o.kind = kind;
    return add(name, o, {x}, x, x->shape[x->shape.rank() - 1]);
  }
  ir::Value* binary(const std::string& name, schema::BinaryKind kind, ir::Value* a, ir::Value* b) {
    schema::BinaryOptionsT o;
    o.kind = kind;
    return add(name, o, {a, b}, a, a->shape[a->shape.rank() - 1]);
  }
  ir::Value* concat(const std::string& name, std::vector<ir::Value*> parts) {
    schema::ConcatOptionsT o;
    o.axis = parts[0]->shape.rank() - 1;
    int64_t width = 0;
    for (const ir::Value* v : parts) width += v->shape[v->shape.rank() - 1];
    return add(name, o, parts, parts[0], width);
  }
  ir::Value* softmax(const std::string& name, ir::Value* x) {
    return add(name, schema::SoftmaxOptionsT{}, {x}, x, x->shape[x->shape.rank() - 1]);
  }
  void output(ir::Value* v) { graph.outputs.push_back({v->name, v}); }
  ir::Node* node(const std::string& name) {
    for (const auto& n : graph.main.nodes)
      if (n->name == name) return n.get();
    return nullptr;
  }

  std::unique_ptr<ir::Graph> owned = std::make_unique<ir::Graph>();  // nodes point into it: it never moves
  ir::Graph& graph = *owned;

 private:
  template <class OptionsT>
  ir::Value* add(const std::string& name, OptionsT options, std::vector<ir::Value*> inputs,
                 const ir::Value* like, int64_t width) {
    schema::OpUnion op;
    op.Set(std::move(options));
    ir::Node* n = graph.add_node(graph.main, nullptr, name, std::move(op), std::move(inputs));
    n->out()->dtype = DType::f32;
    n->out()->shape = like->shape;
    n->out()->shape[like->shape.rank() - 1] = width;
    return n->out();
  }
  uint64_t seed_ = 100;
};

}  // namespace pith::testing
