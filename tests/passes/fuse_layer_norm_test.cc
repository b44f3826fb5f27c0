// fuse_layer_norm: spelled-out layer and RMS normalization.
#include "tests/support/pass_trial.h"

using namespace pith;
using schema::BinaryKind;
using schema::UnaryKind;

namespace {

struct Spelling {
  bool squared_by_pow = false, by_reciprocal = false;
  int64_t axis = -1;
};

ir::Value* mean(GraphMaker& g, ir::Value* x, int64_t axis) {
  schema::ReduceOptionsT o;
  o.kind = schema::ReduceKind::mean;
  return g.node(g.graph.unique_name("mean"), std::move(o), {x, g.graph.add_i64("axes", {axis})});
}

// d / sqrt(mean(d^2) + 1e-5)
ir::Value* normalized(GraphMaker& g, ir::Value* d, const Spelling& s = {}) {
  ir::Value* square =
      s.squared_by_pow ? g.binary(BinaryKind::pow, d, g.f32({}, {2})) : g.binary(BinaryKind::mul, d, d);
  ir::Value* root =
      g.unary(UnaryKind::sqrt, g.binary(BinaryKind::add, mean(g, square, s.axis), g.f32({}, {1e-5f})));
  return s.by_reciprocal ? g.binary(BinaryKind::mul, d, g.unary(UnaryKind::reciprocal, root))
                         : g.binary(BinaryKind::div, d, root);
}
ir::Value* centered(GraphMaker& g, ir::Value* x, int64_t axis = -1) {
  return g.binary(BinaryKind::sub, x, mean(g, x, axis));
}
ir::Value* row(GraphMaker& g) { return g.f32({4}, {1, -2, 0.5f, 3}); }

}  // namespace

TEST_CASE("fuse_layer_norm: mean, deviation, scale and bias become one LayerNorm") {
  for (const bool by_pow : {false, true})
    for (const bool by_reciprocal : {false, true}) {
      GraphMaker g;
      ir::Value* x = g.input("x", DType::f32, {2, 3, 4});
      ir::Value* n = normalized(g, centered(g, x), {by_pow, by_reciprocal, -1});
      g.output("y", g.binary(BinaryKind::add, g.binary(BinaryKind::mul, row(g), n), row(g)));
      CHECK(try_pass(g, fuse_layer_norm, 1e-5) == 1);
      CHECK(ops_of(g) == "LayerNorm");
      CHECK(g.graph.in_order()[0]->as<schema::LayerNormOptionsT>()->epsilon == 1e-5f);
    }
}

TEST_CASE("fuse_layer_norm: without scale and bias a scale of ones stands in") {
  GraphMaker g;
  g.output("y", normalized(g, centered(g, g.input("x", DType::f32, {2, 4}))));
  CHECK(try_pass(g, fuse_layer_norm, 1e-5) == 1);
  CHECK(ops_of(g) == "LayerNorm");
}

TEST_CASE("fuse_layer_norm: x / sqrt(mean(x^2) + eps) * scale becomes RmsNorm, in Llama's spelling too") {
  for (const bool by_reciprocal : {false, true}) {
    GraphMaker g;
    ir::Value* x = g.input("x", DType::f32, {2, 3, 4});
    g.output("y", g.binary(BinaryKind::mul, row(g), normalized(g, x, {true, by_reciprocal, -1})));
    CHECK(try_pass(g, fuse_layer_norm, 1e-5) == 1);
    CHECK(ops_of(g) == "RmsNorm");
  }
}

TEST_CASE("fuse_layer_norm: does not fire when a part is read elsewhere") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {2, 4});
  ir::Value* d = centered(g, x);
  g.output("y", normalized(g, d));
  g.output("d", d);
  ir::Value* square = g.binary(BinaryKind::mul, x, x);
  ir::Value* root =
      g.unary(UnaryKind::sqrt, g.binary(BinaryKind::add, mean(g, square, -1), g.f32({}, {1e-5f})));
  g.output("rms", g.binary(BinaryKind::div, x, root));
  g.output("root", root);
  CHECK(try_pass(g, fuse_layer_norm, 1e-5) == 0);
}

TEST_CASE("fuse_layer_norm: does not fire over another dim, or when a scale is not a row") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {3, 4});
  g.output("axis", normalized(g, centered(g, x, 0), {false, false, 0}));
  CHECK(try_pass(g, fuse_layer_norm, 1e-5) == 0);
  GraphMaker h;
  ir::Value* n = normalized(h, centered(h, h.input("x", DType::f32, {4, 4})));
  h.output("y", h.binary(BinaryKind::mul, n, h.f32({4, 1}, {1, 2, 3, 4})));  // varies along the rows
  CHECK(try_pass(h, fuse_layer_norm, 1e-5) == 1);
  CHECK(ops_of(h) == "LayerNorm Binary");
}

TEST_CASE("fuse_layer_norm: does not fire when the deviation is that of another tensor") {
  GraphMaker g;
  ir::Value *x = g.input("x", DType::f32, {2, 4}), *z = g.input("z", DType::f32, {2, 4});
  ir::Value* root =
      g.unary(UnaryKind::sqrt,
              g.binary(BinaryKind::add, mean(g, g.binary(BinaryKind::mul, z, z), -1), g.f32({}, {1e-5f})));
  g.output("y", g.binary(BinaryKind::div, x, root));
  CHECK(try_pass(g, fuse_layer_norm, 1e-5) == 0);
}
