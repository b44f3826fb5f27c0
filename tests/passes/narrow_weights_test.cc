// narrow_weights: weights that are halves already are stored as halves.
#include "tests/support/pass_trial.h"

using namespace pith;

namespace {

ir::Value* dense(GraphMaker& g, std::vector<float> weights, ir::Value* x) {
  return g.node("fc", schema::FullyConnectedOptionsT{}, {x, g.f32({2, 2}, std::move(weights))});
}
DType weight_type(const GraphMaker& g) { return g.graph.in_order()[0]->in(1)->dtype; }

}  // namespace

TEST_CASE("narrow_weights: weights exact in half precision are stored so, and give the same results") {
  GraphMaker g;
  g.output("y", dense(g, {1, -0.5f, 0.0999755859375f, 65504}, g.input("x", DType::f32, {3, 2})));
  CHECK(try_pass(g, narrow_weights, 0) == 1);
  CHECK(weight_type(g) == DType::f16);
}

TEST_CASE("narrow_weights: does not fire when one weight would change or overflow") {
  for (const float odd : {0.1f, 70000.0f, 1e-9f}) {
    GraphMaker g;
    g.output("y", dense(g, {1, -0.5f, odd, 2}, g.input("x", DType::f32, {3, 2})));
    CHECK(try_pass(g, narrow_weights) == 0);
    CHECK(weight_type(g) == DType::f32);
  }
}

TEST_CASE("narrow_weights: does not fire on weights that are no constants, or on other operands") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {3, 2});
  g.output("y", g.node("fc", schema::FullyConnectedOptionsT{}, {x, g.input("w", DType::f32, {2, 2})}));
  g.output("z", g.binary(schema::BinaryKind::add, x, g.f32({2}, {1, 2})));
  CHECK(try_pass(g, narrow_weights) == 0);
}
