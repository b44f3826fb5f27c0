// remove_identities: nodes that hand their input on, and Reshapes of Reshapes.
#include "tests/support/pass_trial.h"

using namespace pith;
using schema::UnaryKind;

namespace {

ir::Value* reshape(GraphMaker& g, ir::Value* x, std::vector<int64_t> dims) {
  return g.node(g.graph.unique_name("reshape"), schema::ReshapeOptionsT{},
                {x, g.graph.add_i64("dims", dims)});
}
ir::Value* cast(GraphMaker& g, ir::Value* x, DType to) {
  schema::CastOptionsT o;
  o.to = static_cast<uint8_t>(to);
  return g.node(g.graph.unique_name("cast"), std::move(o), {x});
}

}  // namespace

TEST_CASE(
    "remove_identities: Cast to the same type, Transpose by the identity and Reshape to the same shape go") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {2, 3});
  g.output("y", g.unary(UnaryKind::neg, reshape(g, g.transpose(cast(g, x, DType::f32), {0, 1}), {2, 3})));
  CHECK(try_pass(g, remove_identities) == 3);
  CHECK(ops_of(g) == "Unary");
}

TEST_CASE("remove_identities: of several Reshapes in a row only the last counts") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {2, 3});
  g.output("y", reshape(g, reshape(g, reshape(g, x, {3, 2}), {6}), {1, 6}));
  CHECK(try_pass(g, remove_identities) >= 2);
  run_once(g.graph, remove_dead_code);
  CHECK(ops_of(g) == "Reshape");
}

TEST_CASE("remove_identities: an input handed straight to an output keeps both names") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {2, 3});
  g.output("y", cast(g, x, DType::f32));
  CHECK(try_pass(g, remove_identities) == 1);
  CHECK(g.graph.outputs[0].name == "y");
  CHECK(g.graph.outputs[0].value == x);
}

TEST_CASE("remove_identities: does not fire on a Cast, Transpose or Reshape that changes something") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {2, 2});
  g.output("cast", cast(g, x, DType::i32));
  g.output("transpose", g.transpose(x, {1, 0}));
  g.output("reshape", reshape(g, x, {4}));
  CHECK(try_pass(g, remove_identities) == 0);
}

TEST_CASE("remove_identities: does not fire on a Reshape whose shape is not known") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {kUnknownDim, 3});
  g.output("y", reshape(g, x, {-1, 3}));
  CHECK(try_pass(g, remove_identities) == 0);
}
