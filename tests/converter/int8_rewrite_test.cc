// The rewriting half of static int8: codes, grids and Q / DQ pairs land where the plan says.
#include "converter/quantize/int8_rewrite.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/tiny_graphs.h"

using namespace pith;
using namespace pith::quantize;
using namespace pith::testing;
using schema::Op;

TEST_CASE("rewrite: a product reads dequantized codes and its result passes through a grid") {
  TinyGraph g;
  ir::Value* x = g.input("x", {4, 8});
  ir::Value* y = g.dense("fc", x, 8, 3);
  g.output(y);
  const std::vector<float> w(g.node("fc")->in(1)->elements<float>().begin(),
                             g.node("fc")->in(1)->elements<float>().end());
  const std::vector<float> b(g.node("fc")->in(2)->elements<float>().begin(),
                             g.node("fc")->in(2)->elements<float>().end());
  const Int8Plan plan = plan_int8(g.graph, {});
  const std::vector<Int8Grid> grids = {{0.05f, 3}, {0.125f, -7}};
  auto product = encode_product(g.node("fc"), grids[0], ScaleRule::absmax);
  REQUIRE(product.is_ok());
  rewrite_int8(g.graph, plan, grids, {product.value()});

  ir::Node* fc = g.node("fc");
  REQUIRE(fc->in(0)->producer->is(Op::DequantizeOptions));
  const ir::Value* xq = fc->in(0)->producer->in(0);
  CHECK(xq->dtype == DType::i8);
  CHECK(xq->quant == ir::Quant{{0.05f}, {3}, -1, 0});
  CHECK(xq->shape == x->shape);
  REQUIRE(xq->producer->is(Op::QuantizeOptions));
  CHECK(xq->producer->in(0) == x);
  const ir::Value* wq = fc->in(1)->producer->in(0);
  CHECK(wq->is_constant());
  CHECK(wq->quant->scales.size() == 3);
  CHECK(wq->quant->axis == 0);
  for (size_t i = 0; i < w.size(); ++i) {
    const float s = wq->quant->scales[i / 8];
    CHECK(std::fabs(static_cast<float>(wq->elements<int8_t>()[i]) * s - w[i]) <= s * 0.5001f);
  }
  const ir::Value* bq = fc->in(2)->producer->in(0);
  CHECK(bq->dtype == DType::i32);
  for (size_t c = 0; c < 3; ++c) {
    CHECK(bq->quant->scales[c] == wq->quant->scales[c] * 0.05f);
    CHECK(static_cast<double>(bq->elements<int32_t>()[c]) * bq->quant->scales[c] ==
          doctest::Approx(b[c]).epsilon(1e-3));
  }
  const ir::Value* out = g.graph.outputs[0].value;
  REQUIRE(out->producer->is(Op::DequantizeOptions));
  CHECK(out->producer->in(0)->quant == ir::Quant{{0.125f}, {-7}, -1, 0});
  CHECK(out->producer->in(0)->producer->in(0) == fc->out());
  CHECK(g.graph.outputs[0].name == "fc");
}

TEST_CASE(
    "rewrite: float readers of a float tensor keep it, float readers of a product's result get the grid") {
  TinyGraph g;
  ir::Value* x = g.input("x", {4, 8});
  ir::Value* s = g.softmax("s", x);
  ir::Value* y = g.dense("fc", s, 8, 8);
  g.output(g.softmax("t", s));
  g.output(g.softmax("u", y));
  const Int8Plan plan = plan_int8(g.graph, {});
  const std::vector<Int8Grid> grids = {{0.05f, 3}, {0.125f, -7}};
  auto product = encode_product(g.node("fc"), grids[0], ScaleRule::mse).value();
  rewrite_int8(g.graph, plan, grids, {product});
  CHECK(g.node("t")->in(0) == s);
  CHECK(g.node("fc")->in(0)->producer->is(Op::DequantizeOptions));
  CHECK(g.node("u")->in(0)->producer->is(Op::DequantizeOptions));
  const auto order = g.graph.in_order();  // definitions before uses
  for (size_t i = 0; i < order.size(); ++i)
    for (const ir::Value* v : order[i]->inputs)
      if (v != nullptr && v->producer != nullptr)
        CHECK(std::find(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(i), v->producer) !=
              order.begin() + static_cast<std::ptrdiff_t>(i));
}

TEST_CASE("rewrite: a constant operand gets a grid of its own extremes, a scalar is exact") {
  TinyGraph g;
  ir::Value* x = g.input("x", {4, 8});
  ir::Value* a = g.dense("a", x, 8, 8);
  ir::Value* three = g.graph.add_f32("three", {}, std::vector<float>{3.0f});
  ir::Value* m = g.binary("m", schema::BinaryKind::mul, a, three);
  g.output(g.dense("b", m, 8, 8));
  const Int8Plan plan = plan_int8(g.graph, {});
  REQUIRE(plan.active(g.node("m")));
  const std::vector<Int8Grid> grids(plan.groups.size(), Int8Grid{0.1f, 0});
  rewrite_int8(g.graph, plan, grids, {});
  const ir::Value* c = g.node("m")->in(1)->producer->in(0);
  CHECK(c->dtype == DType::i8);
  CHECK((c->elements<int8_t>()[0] - c->quant->zero_points[0]) * c->quant->scales[0] == doctest::Approx(3.0f));
}

TEST_CASE("rewrite: products that cannot be codes are refused with the channel named") {
  TinyGraph g;
  ir::Value* x = g.input("x", {1, 70000});
  g.dense("wide", x, 70000, 1);
  // Constant weights put every code at 127: 70000 * 127 * 255 > 2^31.
  ir::Value* ones = g.graph.add_f32("ones", {1, 70000}, std::vector<float>(70000, 1.0f));
  g.graph.set_input(g.node("wide"), 1, ones);
  const auto r = encode_product(g.node("wide"), {1.0f, 0}, ScaleRule::absmax);
  REQUIRE_FALSE(r.is_ok());
  CHECK(r.status().code() == Code::unsupported);
  CHECK(r.status().message().find("channel 0") != std::string::npos);
}
