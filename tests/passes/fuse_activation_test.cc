// fuse_activation: Relu and Clip become the clamp of what feeds them.
#include "tests/support/pass_trial.h"

using namespace pith;
using schema::BinaryKind;
using schema::UnaryKind;

namespace {

ir::Value* clip(GraphMaker& g, ir::Value* x, float lo, float hi) {
  schema::UnaryOptionsT o;
  o.kind = UnaryKind::clip;
  o.alpha = lo;
  o.beta = hi;
  return g.node(g.graph.unique_name("clip"), std::move(o), {x});
}

ir::Value* dense(GraphMaker& g, ir::Value* x) {
  return g.node("fc", schema::FullyConnectedOptionsT{},
                {x, g.f32({2, 3}, {1, -2, 3, -1, 2, -3}), g.f32({2}, {0.5f, -0.5f})});
}

}  // namespace

TEST_CASE("fuse_activation: Relu after a fully connected layer becomes its clamp") {
  GraphMaker g;
  g.output("y", g.unary(UnaryKind::relu, dense(g, g.input("x", DType::f32, {4, 3}))));
  CHECK(try_pass(g, fuse_activation) == 1);
  CHECK(ops_of(g) == "FullyConnected");
  CHECK(g.graph.in_order()[0]->as<schema::FullyConnectedOptionsT>()->clamp_min == 0);
}

TEST_CASE("fuse_activation: two clips in a row narrow to their intersection") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {4, 3});
  g.output("y", clip(g, clip(g, g.binary(BinaryKind::add, x, g.f32({3}, {1, 2, 3})), -1, 2), 0, 3));
  CHECK(try_pass(g, fuse_activation) == 2);
  CHECK(ops_of(g) == "Binary");
  const auto* o = g.graph.in_order()[0]->as<schema::BinaryOptionsT>();
  CHECK(o->clamp_min == 0);
  CHECK(o->clamp_max == 2);
}

TEST_CASE("fuse_activation: does not fire when somebody else reads the raw result") {
  GraphMaker g;
  ir::Value* t = dense(g, g.input("x", DType::f32, {4, 3}));
  g.output("y", g.unary(UnaryKind::relu, t));
  g.output("z", g.unary(UnaryKind::neg, t));
  CHECK(try_pass(g, fuse_activation) == 0);
}

TEST_CASE("fuse_activation: does not fire when the raw result is an output of the model") {
  GraphMaker g;
  ir::Value* t = dense(g, g.input("x", DType::f32, {4, 3}));
  g.output("y", g.unary(UnaryKind::relu, t));
  g.output("raw", t);
  CHECK(try_pass(g, fuse_activation) == 0);
}

TEST_CASE("fuse_activation: does not fire on disjoint clamps, where the second decides alone") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {4, 3});
  g.output("y", clip(g, clip(g, g.binary(BinaryKind::add, x, x), 0, 1), 2, 3));
  CHECK(try_pass(g, fuse_activation) == 1);  // the first goes in, the second stays
  CHECK(ops_of(g) == "Binary Unary");
}

TEST_CASE("fuse_activation: does not fire on operators without a clamp, on integers, or across blocks") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {4, 3});
  g.output("power", g.unary(UnaryKind::relu, g.binary(BinaryKind::max, x, g.f32({}, {-1}))));
  g.output("sum", g.unary(UnaryKind::relu, g.unary(UnaryKind::sin, x)));
  ir::Value* i = g.input("i", DType::i32, {4});
  g.output("int", g.unary(UnaryKind::relu, g.binary(BinaryKind::add, i, i)));
  CHECK(try_pass(g, fuse_activation) == 0);
}
