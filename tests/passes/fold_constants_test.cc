// fold_constants: what depends on constants alone is computed now.
#include "tests/support/pass_trial.h"

using namespace pith;
using schema::BinaryKind;
using schema::UnaryKind;

TEST_CASE("fold_constants: arithmetic on constants is done once, here") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {3});
  ir::Value* c = g.binary(BinaryKind::mul, g.f32({3}, {1, 2, 3}), g.unary(UnaryKind::neg, g.f32({}, {2})));
  g.output("y", g.binary(BinaryKind::add, x, c));
  CHECK(try_pass(g, fold_constants) == 2);
  REQUIRE(ops_of(g) == "Binary");
  const ir::Value* folded = g.graph.in_order()[0]->in(1);
  REQUIRE(folded->is_constant());
  CHECK(folded->elements<float>()[2] == -6);
}

TEST_CASE("fold_constants: shape arithmetic folds when the shape is known, and not when it is not") {
  for (const int64_t batch : {int64_t{2}, kUnknownDim}) {
    GraphMaker g;
    ir::Value* x = g.input("x", DType::f32, {batch, 3});
    ir::Value* shape = g.node("shape", schema::ShapeOptionsT{}, {x});
    g.output("y", g.node("ones", schema::FillOptionsT{}, {shape, g.f32({1}, {1})}));
    g.output("x", g.unary(UnaryKind::neg, x));
    CHECK(try_pass(g, fold_constants) == (batch == 2 ? 2u : 0u));
  }
}

TEST_CASE("fold_constants: a constant that is an output of the model stays an output") {
  GraphMaker g;
  g.output("c", g.unary(UnaryKind::neg, g.f32({2}, {1, 2})));
  g.output("y", g.unary(UnaryKind::neg, g.input("x", DType::f32, {2})));
  CHECK(try_pass(g, fold_constants) == 1);
  CHECK(g.graph.outputs[0].name == "c");
  CHECK(g.graph.outputs[0].value->is_constant());
}

TEST_CASE("fold_constants: does not fire on what reads an input") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {3});
  g.output("y", g.binary(BinaryKind::add, x, g.f32({3}, {1, 2, 3})));
  CHECK(try_pass(g, fold_constants) == 0);
}
