// remove_dead_code: nodes that nobody needs go, together with what only they needed.
#include "tests/support/pass_trial.h"

using namespace pith;
using schema::UnaryKind;

TEST_CASE("remove_dead_code: a chain without readers goes as a whole") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {3});
  g.output("y", g.unary(UnaryKind::neg, x));
  g.unary(UnaryKind::exp, g.unary(UnaryKind::cos, g.unary(UnaryKind::sin, x)));
  CHECK(try_pass(g, remove_dead_code) == 3);
  CHECK(ops_of(g) == "Unary");
}

TEST_CASE("remove_dead_code: does not fire on a node of which one of several results is used") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {4});
  schema::OpUnion op;
  schema::SplitOptionsT o;
  op.Set(o);
  ir::Node* split = g.graph.add_node(g.graph.main, nullptr, "split", op, {x}, 2);
  REQUIRE(ir::infer_node(*split).is_ok());
  g.output("second", split->out(1));
  CHECK(try_pass(g, remove_dead_code) == 0);
}

TEST_CASE("remove_dead_code: does not fire on inputs of the model or on outputs read inside too") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {3});
  g.input("unused", DType::f32, {3});
  ir::Value* t = g.unary(UnaryKind::neg, x);
  g.output("t", t);
  g.output("y", g.unary(UnaryKind::exp, t));
  CHECK(try_pass(g, remove_dead_code) == 0);
  CHECK(g.graph.inputs.size() == 2);
}
