// merge_equal_nodes: what is computed twice is computed once.
#include "tests/support/pass_trial.h"

using namespace pith;
using schema::BinaryKind;
using schema::UnaryKind;

TEST_CASE("merge_equal_nodes: two equal nodes become one, and then what reads them") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {3});
  ir::Value *a = g.unary(UnaryKind::neg, x), *b = g.unary(UnaryKind::neg, x);
  g.output("y", g.binary(BinaryKind::mul, g.unary(UnaryKind::exp, a), g.unary(UnaryKind::exp, b)));
  CHECK(try_pass(g, merge_equal_nodes) == 2);
  CHECK(ops_of(g) == "Unary Unary Binary");
}

TEST_CASE("merge_equal_nodes: equal small constants count as one") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {3});
  g.output("a", g.binary(BinaryKind::add, x, g.f32({}, {2})));
  g.output("b", g.binary(BinaryKind::add, x, g.f32({}, {2})));
  CHECK(try_pass(g, merge_equal_nodes) == 1);
  CHECK(ops_of(g) == "Binary");
  CHECK(g.graph.outputs[0].value == g.graph.outputs[1].value);
  CHECK(g.graph.outputs[1].name == "b");
}

TEST_CASE("merge_equal_nodes: does not fire on other options, inputs, order or constants") {
  GraphMaker g;
  ir::Value *x = g.input("x", DType::f32, {3, 3}), *z = g.input("z", DType::f32, {3, 3});
  g.output("a", g.unary(UnaryKind::neg, x));
  g.output("b", g.unary(UnaryKind::abs, x));
  g.output("c", g.unary(UnaryKind::neg, z));
  g.output("d", g.binary(BinaryKind::sub, x, z));
  g.output("e", g.binary(BinaryKind::sub, z, x));
  g.output("f", g.binary(BinaryKind::add, x, g.f32({}, {2})));
  g.output("g", g.binary(BinaryKind::add, x, g.f32({}, {3})));
  g.output("h", g.binary(BinaryKind::add, x, g.f32({1}, {2})));  // another shape
  g.output("i", g.transpose(x, {1, 0}));
  g.output("j", g.transpose(x, {0, 1}));
  CHECK(try_pass(g, merge_equal_nodes) == 0);
}

TEST_CASE("merge_equal_nodes: does not fire on equal nodes whose results are on different grids") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {3});
  schema::QuantizeOptionsT o;
  o.to = static_cast<uint8_t>(DType::i8);
  for (const float scale : {0.5f, 0.25f}) {
    ir::Value* q = g.graph.add_value(g.graph.unique_name("q"), DType::i8, {3});
    schema::OpUnion op;
    op.Set(o);
    ir::Node* node = g.graph.add_node(g.graph.main, nullptr, g.graph.unique_name("quantize"), op, {x});
    g.graph.replace_output(node, 0, q);
    q->quant = ir::Quant{{scale}, {0}, -1, 0};
    g.output(scale > 0.3f ? "coarse" : "fine", q);
  }
  CHECK(try_pass(g, merge_equal_nodes) == 0);
  CHECK(ops_of(g) == "Quantize Quantize");
}
