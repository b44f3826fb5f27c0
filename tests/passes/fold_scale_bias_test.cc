// fold_scale_bias: per-channel arithmetic after a layer goes into its weights.
#include "tests/support/pass_trial.h"

using namespace pith;
using schema::BinaryKind;
using schema::UnaryKind;

namespace {

struct Layer {
  GraphMaker g;
  ir::Value* y = nullptr;
  explicit Layer(bool bias = true, float clamp_min = -INFINITY) {
    schema::ConvOptionsT o;
    o.strides = {1, 1};
    o.pads = {1, 1, 1, 1};
    o.dilations = {1, 1};
    o.clamp_min = clamp_min;
    test::Random random(3);
    std::vector<ir::Value*> inputs{g.input("x", DType::f32, {1, 4, 4, 2}),
                                   g.f32({3, 3, 3, 2}, random.reals(54))};
    if (bias) inputs.push_back(g.f32({3}, {0.5f, -1, 2}));
    y = g.node("conv", std::move(o), std::move(inputs));
  }
  ir::Value* channels() { return g.f32({3}, {2, -0.5f, 3}); }
};

}  // namespace

TEST_CASE("fold_scale_bias: the multiplication and addition of a batch normalization vanish into the layer") {
  for (const bool bias : {false, true}) {
    Layer l(bias);
    ir::Value* scaled = l.g.binary(BinaryKind::mul, l.y, l.channels());
    l.g.output("y", l.g.binary(BinaryKind::add, l.g.f32({1, 1, 1, 3}, {1, 2, 3}), scaled));
    CHECK(try_pass(l.g, fold_scale_bias, 1e-5) == 2);
    CHECK(ops_of(l.g) == "Conv");
    CHECK(l.g.graph.outputs[0].name == "y");
  }
}

TEST_CASE("fold_scale_bias: subtraction from either side, and division by a constant") {
  Layer l;
  ir::Value* t = l.g.binary(BinaryKind::div, l.y, l.channels());
  t = l.g.binary(BinaryKind::sub, t, l.channels());
  l.g.output("y", l.g.binary(BinaryKind::sub, l.g.f32({}, {1}), t));
  CHECK(try_pass(l.g, fold_scale_bias, 1e-5) == 3);
  CHECK(ops_of(l.g) == "Conv");
}

TEST_CASE("fold_scale_bias: does not fire when the layer's result is read elsewhere or is an output") {
  Layer l;
  l.g.output("y", l.g.binary(BinaryKind::mul, l.y, l.channels()));
  l.g.output("raw", l.y);
  CHECK(try_pass(l.g, fold_scale_bias) == 0);
  Layer m;
  m.g.output("y", m.g.binary(BinaryKind::mul, m.y, m.channels()));
  m.g.output("z", m.g.unary(UnaryKind::neg, m.y));
  CHECK(try_pass(m.g, fold_scale_bias) == 0);
}

TEST_CASE("fold_scale_bias: does not fire across a clamp, on the layer's or on the arithmetic's side") {
  Layer clamped(true, 0);
  clamped.g.output("y", clamped.g.binary(BinaryKind::mul, clamped.y, clamped.channels()));
  CHECK(try_pass(clamped.g, fold_scale_bias) == 0);
  Layer l;
  schema::BinaryOptionsT o;
  o.kind = BinaryKind::add;
  o.clamp_min = 0;
  l.g.output("y", l.g.node("sum", std::move(o), {l.y, l.channels()}));
  CHECK(try_pass(l.g, fold_scale_bias) == 0);
}

TEST_CASE("fold_scale_bias: does not fire when the constant varies along the image, or is no constant") {
  Layer l;
  l.g.output("y", l.g.binary(BinaryKind::mul, l.y, l.g.f32({4, 1}, {1, 2, 3, 4})));
  CHECK(try_pass(l.g, fold_scale_bias) == 0);
  Layer m;
  m.g.output("y", m.g.binary(BinaryKind::mul, m.y, m.g.input("s", DType::f32, {3})));
  CHECK(try_pass(m.g, fold_scale_bias) == 0);
  Layer d;  // constant / layer is not affine
  d.g.output("y", d.g.binary(BinaryKind::div, d.channels(), d.y));
  CHECK(try_pass(d.g, fold_scale_bias) == 0);
}

TEST_CASE("fold_scale_bias: does not fire when the constant makes the result larger") {
  Layer l;
  l.g.output("y", l.g.binary(BinaryKind::mul, l.y, l.g.f32({1, 1, 1, 1, 3}, {1, 2, 3})));
  CHECK(try_pass(l.g, fold_scale_bias) == 0);
}
