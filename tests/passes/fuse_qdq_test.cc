// fuse_qdq: operators between Dequantize and Quantize run on codes.
#include "tests/support/pass_trial.h"
#include "tests/support/qdq_graph.h"

using namespace pith;
using schema::BinaryKind;
using schema::UnaryKind;

namespace {

schema::ConvOptionsT square() {
  schema::ConvOptionsT o;
  o.strides = {1, 1};
  o.pads = {1, 1, 1, 1};
  o.dilations = {1, 1};
  return o;
}

// One step: codes may round to the neighbour where the float form rounds exactly on the border.
size_t settle(QdqGraph& g) { return try_pass(g, fuse_qdq, kStep + 1e-6); }

}  // namespace

TEST_CASE("fuse_qdq: a convolution between codes reads codes, i32 bias and writes codes") {
  QdqGraph g;
  ir::Value* w = g.dequantize(g.codes({3, 3, 3, 2}, 1), 0.01f);
  g.output("y", g.through(g.node("conv", square(), {g.image(), w, g.f32({3}, {0.5f, -1, 0})})));
  CHECK(settle(g) == 1);
  CHECK(ops_of(g) == "Quantize Conv Dequantize");
  CHECK(g.left_in_float() == 0);
  const ir::Node* conv = g.graph.in_order()[1];
  CHECK(conv->in(2)->dtype == DType::i32);
  CHECK(conv->in(2)->elements<int32_t>()[0] == 3200);  // 0.5 / (1/64 * 0.01)
  CHECK(conv->out()->quant == ir::Quant{{kStep}, {0}, -1, 0});
}

TEST_CASE("fuse_qdq: u8 codes become i8 codes with the zero point moved") {
  QdqGraph g;
  ir::Value* x = g.through(g.input("x", DType::f32, {1, 4, 4, 2}), 0.015625f, DType::u8, 128);
  ir::Value* w = g.dequantize(g.codes({3, 3, 3, 2}, 1), 0.01f);
  g.output("y", g.through(g.node("conv", square(), {x, w}), kStep, DType::u8, 130));
  CHECK(settle(g) == 1);
  CHECK(ops_of(g) == "Quantize Conv Dequantize");
  CHECK(g.graph.in_order()[1]->out()->quant == ir::Quant{{kStep}, {2}, -1, 0});
}

TEST_CASE("fuse_qdq: addition, multiplication, tables, average pools and means run on codes") {
  QdqGraph g;
  ir::Value* x = g.image();
  ir::Value* a =
      g.through(g.binary(BinaryKind::add, x, g.through(g.unary(UnaryKind::sigmoid, x), 1 / 256.0f)));
  ir::Value* m = g.through(g.binary(BinaryKind::mul, a, g.f32({2}, {0.5f, -1})));
  schema::PoolOptionsT pool;
  pool.kind = schema::PoolKind::average;
  pool.kernel = pool.strides = {2, 2};
  pool.pads = {0, 0, 0, 0};
  pool.dilations = {1, 1};
  ir::Value* p = g.through(g.node("pool", pool, {m}));
  schema::ReduceOptionsT mean;
  mean.kind = schema::ReduceKind::mean;
  g.output("y", g.through(g.node("mean", mean, {p, g.graph.add_i64("axes", {1, 2})})));
  CHECK(settle(g) == 5);
  CHECK(ops_of(g) == "Quantize Unary Binary Binary Pool Reduce Dequantize");
  CHECK(g.left_in_float() == 0);
}

TEST_CASE("fuse_qdq: movement of elements runs on codes even without a Quantize behind it") {
  QdqGraph g;
  ir::Value* t = g.transpose(g.image(), {0, 3, 1, 2});
  g.output("y", g.node("flat", schema::FlattenOptionsT{}, {t}));
  settle(g);
  CHECK(ops_of(g) == "Quantize Transpose Flatten Dequantize");
}

TEST_CASE("fuse_qdq: Concat runs on codes, and a table brings operands of another grid to the result's") {
  for (const bool shared : {true, false}) {
    QdqGraph g;
    schema::ConcatOptionsT o;
    o.axis = 3;
    ir::Value* x = g.input("x", DType::f32, {1, 4, 4, 2});
    ir::Value* other = g.unary(UnaryKind::cos, x);
    g.output("y", g.through(g.node("cat", o, {g.through(x), g.through(other, shared ? kStep : kStep / 2)})));
    settle(g);
    CHECK(g.left_in_float() == 1);  // the cosine
    CHECK(ops_of(g) == (shared ? "Unary Quantize Quantize Concat Dequantize"
                               : "Unary Quantize Quantize Unary Concat Dequantize"));
  }
}

TEST_CASE("fuse_qdq: Split runs on codes, each part on the input's grid") {
  for (const bool requantized : {false, true}) {
    QdqGraph g;
    schema::SplitOptionsT o;
    o.axis = 3;
    schema::OpUnion op;
    op.Set(o);
    ir::Node* split = g.graph.add_node(g.graph.main, nullptr, "split", op, {g.image()}, 2);
    REQUIRE(ir::infer_node(*split).is_ok());
    for (size_t i : {size_t{0}, size_t{1}}) {
      ir::Value* part = split->out(i);
      g.output(i == 0 ? "a" : "b", requantized ? g.through(part, 0.015625f) : part);
    }
    settle(g);
    CHECK(ops_of(g) == "Quantize Split Dequantize Dequantize");
    CHECK(g.left_in_float() == 0);
  }
}

TEST_CASE("fuse_qdq: a linear Resize runs on codes when both sides share one grid") {
  QdqGraph g;
  schema::ResizeOptionsT o;
  o.mode = schema::ResizeMode::linear;
  ir::Value* r = g.node(
      "resize", o, {g.through(g.input("x", DType::f32, {1, 4, 4, 2})), nullptr, g.f32({4}, {1, 2, 2, 1})});
  g.output("y", g.through(r));
  CHECK(settle(g) == 1);
  CHECK(ops_of(g) == "Quantize Resize Dequantize");
}

TEST_CASE("fuse_qdq: does not fire when the float result is read elsewhere or is an output") {
  QdqGraph g;
  ir::Value* w = g.dequantize(g.codes({3, 3, 3, 2}, 1), 0.01f);
  ir::Value* y = g.node("conv", square(), {g.image(), w});
  g.output("y", g.through(y));
  g.output("raw", y);
  CHECK(settle(g) == 0);
  CHECK(g.left_in_float() == 1);
}

TEST_CASE("fuse_qdq: does not fire when scales are computed, weights are asymmetric or the result is f32") {
  QdqGraph computed;
  ir::Value* scale = computed.input("scale", DType::f32, {1});
  ir::Value* q =
      computed.node("q", schema::QuantizeOptionsT{},
                    {computed.input("x", DType::f32, {4}), scale, computed.zero_point(DType::i8, 0)});
  computed.output(
      "y", computed.through(computed.unary(UnaryKind::sigmoid,
                                           computed.node("dq", schema::DequantizeOptionsT{}, {q, scale}))));
  CHECK(settle(computed) == 0);
  QdqGraph asymmetric;
  ir::Value* w = asymmetric.dequantize(asymmetric.codes({3, 3, 3, 2}, 1), 0.01f, 5);
  asymmetric.output("y", asymmetric.through(asymmetric.node("conv", square(), {asymmetric.image(), w})));
  CHECK(settle(asymmetric) == 0);
  QdqGraph plain;
  ir::Value* v = plain.dequantize(plain.codes({3, 3, 3, 2}, 1), 0.01f);
  plain.output("y", plain.node("conv", square(), {plain.image(), v}));
  CHECK(settle(plain) == 0);
}

TEST_CASE("fuse_qdq: Quantize of Dequantize on one grid vanishes, on two grids it is a table") {
  for (const bool same : {true, false}) {
    QdqGraph g;
    ir::Value* x = g.through(g.input("x", DType::f32, {8}));
    g.output("y", g.through(x, same ? kStep : kStep / 2));
    settle(g);
    CHECK(ops_of(g) == (same ? "Quantize Dequantize" : "Quantize Unary Dequantize"));
  }
}
