// fuse_gelu: the spelled-out forms of Gelu, hard-swish and swish.
#include "tests/support/pass_trial.h"

using namespace pith;
using schema::BinaryKind;
using schema::UnaryKind;

namespace {

ir::Value* number(GraphMaker& g, float v) { return g.f32({}, {v}); }

ir::Value* hard_sigmoid(GraphMaker& g, ir::Value* x, float alpha, float beta) {
  schema::UnaryOptionsT o;
  o.kind = UnaryKind::hard_sigmoid;
  o.alpha = alpha;
  o.beta = beta;
  return g.node("hs", std::move(o), {x});
}

ir::Value* clip06(GraphMaker& g, ir::Value* x) {
  schema::UnaryOptionsT o;
  o.kind = UnaryKind::clip;
  o.alpha = 0;
  o.beta = 6;
  return g.node("clip", std::move(o), {x});
}

// 1 + erf(x / sqrt 2)
ir::Value* erf_factor(GraphMaker& g, ir::Value* x, float divisor = 1.4142135f) {
  return g.binary(BinaryKind::add, g.unary(UnaryKind::erf, g.binary(BinaryKind::div, x, number(g, divisor))),
                  number(g, 1));
}

const schema::UnaryOptionsT* only_unary(const GraphMaker& g) {
  return g.graph.in_order().size() == 1 ? g.graph.in_order()[0]->as<schema::UnaryOptionsT>() : nullptr;
}

}  // namespace

TEST_CASE("fuse_gelu: x * 0.5 * (1 + erf(x / sqrt 2)) in the order of PyTorch becomes Gelu") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {3, 5});
  g.output("y", g.binary(BinaryKind::mul, g.binary(BinaryKind::mul, x, erf_factor(g, x)), number(g, 0.5f)));
  CHECK(try_pass(g, fuse_gelu) == 1);
  REQUIRE(only_unary(g) != nullptr);
  CHECK(only_unary(g)->kind == UnaryKind::gelu);
}

TEST_CASE("fuse_gelu: the half may stand with x, and the division may be a multiplication") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {3, 5});
  ir::Value* erf = g.unary(UnaryKind::erf, g.binary(BinaryKind::mul, number(g, 0.70710678f), x));
  g.output("y", g.binary(BinaryKind::mul, g.binary(BinaryKind::add, number(g, 1), erf),
                         g.binary(BinaryKind::mul, x, number(g, 0.5f))));
  CHECK(try_pass(g, fuse_gelu) == 1);
  CHECK(ops_of(g) == "Unary");
}

TEST_CASE("fuse_gelu: x * clip(x + 3, 0, 6) / 6 becomes HardSwish") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {3, 5});
  ir::Value* c = clip06(g, g.binary(BinaryKind::add, x, number(g, 3)));
  g.output("y", g.binary(BinaryKind::div, g.binary(BinaryKind::mul, x, c), number(g, 6)));
  CHECK(try_pass(g, fuse_gelu) == 1);
  REQUIRE(only_unary(g) != nullptr);
  CHECK(only_unary(g)->kind == UnaryKind::hard_swish);
}

TEST_CASE("fuse_gelu: x * HardSigmoid(x; 1/6, 1/2) becomes HardSwish") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {3, 5});
  g.output("y", g.binary(BinaryKind::mul, x, hard_sigmoid(g, x, 1 / 6.0f, 0.5f)));
  CHECK(try_pass(g, fuse_gelu) == 1);
  CHECK(ops_of(g) == "Unary");
}

TEST_CASE("fuse_gelu: x * sigmoid(x) becomes Swish, in either order") {
  for (const bool first : {true, false}) {
    GraphMaker g;
    ir::Value* x = g.input("x", DType::f32, {3, 5});
    ir::Value* s = g.unary(UnaryKind::sigmoid, x);
    g.output("y", first ? g.binary(BinaryKind::mul, x, s) : g.binary(BinaryKind::mul, s, x));
    CHECK(try_pass(g, fuse_gelu) == 1);
    REQUIRE(only_unary(g) != nullptr);
    CHECK(only_unary(g)->kind == UnaryKind::swish);
    CHECK(only_unary(g)->alpha == 1);
  }
}

TEST_CASE("fuse_gelu: does not fire where a part carries a fused activation, which would be lost") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {3, 5});
  schema::BinaryOptionsT clamped;
  clamped.kind = BinaryKind::mul;
  clamped.clamp_min = 0;
  ir::Value* swish = g.node("swish", clamped, {x, g.unary(UnaryKind::sigmoid, x)});
  g.output("y", swish);
  ir::Value* inner = g.node("inner", clamped, {x, erf_factor(g, x)});
  g.output("gelu", g.binary(BinaryKind::mul, inner, number(g, 0.5f)));
  CHECK(try_pass(g, fuse_gelu) == 0);
}

TEST_CASE("fuse_gelu: a hard-swish whose addition has its clip fused already") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {3, 5});
  schema::BinaryOptionsT clip;
  clip.kind = BinaryKind::add;
  clip.clamp_min = 0;
  clip.clamp_max = 6;
  ir::Value* c = g.node("clip", clip, {x, number(g, 3)});
  g.output("y", g.binary(BinaryKind::div, g.binary(BinaryKind::mul, x, c), number(g, 6)));
  CHECK(try_pass(g, fuse_gelu) == 1);
  CHECK(ops_of(g) == "Unary");
}

TEST_CASE("fuse_gelu: does not fire when a part is read elsewhere, or is an output") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {3, 5});
  ir::Value* factor = erf_factor(g, x);
  ir::Value* product = g.binary(BinaryKind::mul, x, factor);
  g.output("y", g.binary(BinaryKind::mul, product, number(g, 0.5f)));
  g.output("part", product);
  ir::Value* s = g.unary(UnaryKind::sigmoid, x);
  g.output("swish", g.binary(BinaryKind::mul, x, s));
  g.output("gate", s);
  CHECK(try_pass(g, fuse_gelu) == 0);
}

TEST_CASE("fuse_gelu: does not fire on other constants or on the erf of another value") {
  GraphMaker g;
  ir::Value *x = g.input("x", DType::f32, {3, 5}), *z = g.input("z", DType::f32, {3, 5});
  const auto gelu_like = [&](ir::Value* a, ir::Value* b, float half, float divisor) {
    return g.binary(BinaryKind::mul, g.binary(BinaryKind::mul, a, erf_factor(g, b, divisor)),
                    number(g, half));
  };
  g.output("half", gelu_like(x, x, 0.6f, 1.4142135f));
  g.output("root", gelu_like(x, x, 0.5f, 1.5f));
  g.output("other", gelu_like(x, z, 0.5f, 1.4142135f));
  g.output("sigmoid", g.binary(BinaryKind::mul, x, hard_sigmoid(g, x, 0.2f, 0.5f)));
  g.output("gate", g.binary(BinaryKind::mul, x, g.unary(UnaryKind::sigmoid, z)));
  CHECK(try_pass(g, fuse_gelu) == 0);
}
