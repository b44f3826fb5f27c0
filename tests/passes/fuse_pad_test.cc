// fuse_pad: a zero Pad in front of a convolution becomes its padding.
#include "tests/support/pass_trial.h"

using namespace pith;
using schema::UnaryKind;

namespace {

ir::Value* conv(GraphMaker& g, ir::Value* x) {
  schema::ConvOptionsT o;
  o.strides = {2, 1};
  o.pads = {0, 1, 0, 0};
  o.dilations = {1, 1};
  test::Random random(5);
  return g.node("conv", std::move(o), {x, g.f32({3, 3, 3, 2}, random.reals(54))});
}
ir::Value* image(GraphMaker& g) { return g.input("x", DType::f32, {1, 6, 5, 2}); }

ir::Value* pad(GraphMaker& g, ir::Value* x, std::vector<int64_t> pads, std::vector<ir::Value*> more = {},
               schema::PadMode mode = schema::PadMode::constant) {
  schema::PadOptionsT o;
  o.mode = mode;
  std::vector<ir::Value*> inputs{x, g.graph.add_i64("pads", pads)};
  inputs.insert(inputs.end(), more.begin(), more.end());
  return g.node("pad", std::move(o), std::move(inputs));
}

}  // namespace

TEST_CASE("fuse_pad: pads of height and width are added to the convolution's own") {
  GraphMaker g;
  g.output("y", conv(g, pad(g, image(g), {0, 1, 2, 0, 0, 3, 1, 0})));
  CHECK(try_pass(g, fuse_pad) == 1);
  REQUIRE(ops_of(g) == "Conv");
  CHECK(g.graph.in_order()[0]->as<schema::ConvOptionsT>()->pads == std::vector<uint32_t>{1, 3, 3, 1});
}

TEST_CASE("fuse_pad: an explicit zero and named axes, negative too, mean the same") {
  GraphMaker g;
  g.output("y", conv(g, pad(g, image(g), {1, 2, 3, 1}, {g.f32({}, {0}), g.graph.add_i64("axes", {1, -2})})));
  CHECK(try_pass(g, fuse_pad) == 1);
  CHECK(ops_of(g) == "Conv");
}

TEST_CASE("fuse_pad: a Pad that others read too stays for them") {
  GraphMaker g;
  ir::Value* p = pad(g, image(g), {0, 1, 1, 0, 0, 1, 1, 0});
  g.output("y", conv(g, p));
  g.output("padded", p);
  CHECK(try_pass(g, fuse_pad) == 1);
  CHECK(ops_of(g) == "Pad Conv");
}

TEST_CASE("fuse_pad: does not fire on another value, another mode, cropping, or pads of batch and channels") {
  GraphMaker value;
  value.output("y", conv(value, pad(value, image(value), {0, 1, 1, 0, 0, 1, 1, 0}, {value.f32({}, {1})})));
  CHECK(try_pass(value, fuse_pad) == 0);
  GraphMaker mode;
  mode.output("y",
              conv(mode, pad(mode, image(mode), {0, 1, 1, 0, 0, 1, 1, 0}, {}, schema::PadMode::reflect)));
  CHECK(try_pass(mode, fuse_pad) == 0);
  GraphMaker crop;
  crop.output("y", conv(crop, pad(crop, image(crop), {0, -1, 1, 0, 0, 1, 1, 0})));
  CHECK(try_pass(crop, fuse_pad) == 0);
  GraphMaker batch;
  batch.output("y", conv(batch, pad(batch, image(batch), {1, 1, 1, 0, 0, 1, 1, 0})));
  CHECK(try_pass(batch, fuse_pad) == 0);
}

TEST_CASE("fuse_pad: does not fire when something stands between, or the pads are computed") {
  GraphMaker g;
  g.output("y", conv(g, g.unary(UnaryKind::cos, pad(g, image(g), {0, 1, 1, 0, 0, 1, 1, 0}))));
  CHECK(try_pass(g, fuse_pad) == 0);
}
