// move_transposes: Transposes meet their inverses.
#include "tests/support/pass_trial.h"

using namespace pith;
using schema::BinaryKind;
using schema::UnaryKind;

namespace {

constexpr auto kToFirst = [] { return std::vector<uint32_t>{0, 3, 1, 2}; };
constexpr auto kToLast = [] { return std::vector<uint32_t>{0, 2, 3, 1}; };

size_t settle(GraphMaker& g) { return try_pass(g, move_transposes); }

}  // namespace

TEST_CASE("move_transposes: a Transpose and its inverse around arithmetic vanish") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {1, 4, 5, 3});
  ir::Value* t = g.unary(UnaryKind::sigmoid, g.transpose(x, kToFirst()));
  t = g.binary(BinaryKind::mul, t, g.f32({3, 1, 1}, {1, 2, 3}));
  g.output("y", g.transpose(t, kToLast()));
  CHECK(settle(g) >= 2);
  CHECK(ops_of(g) == "Unary Binary");
}

TEST_CASE("move_transposes: axes of Concat, Softmax, Reduce, Slice, Split and Pad follow") {
  GraphMaker g;
  ir::Value* t = g.transpose(g.input("x", DType::f32, {2, 4, 5, 3}), kToFirst());
  schema::ConcatOptionsT concat;
  concat.axis = 1;
  schema::SoftmaxOptionsT softmax;
  softmax.axis = 2;
  schema::ReduceOptionsT mean;
  mean.kind = schema::ReduceKind::mean;
  schema::PadOptionsT pad;
  ir::Value* v = g.node("cat", concat, {t, g.unary(UnaryKind::cos, t)});
  v = g.node("soft", softmax, {v});
  v = g.node("slice", schema::SliceOptionsT{},
             {v, g.graph.add_i64("s", {1, 0}), g.graph.add_i64("e", {5, 4}), g.graph.add_i64("a", {1, -1})});
  v = g.node("pad", pad, {v, g.graph.add_i64("p", {0, 1, 0, 2, 0, 0, 3, 0})});
  g.output("mean", g.transpose(g.node("mean", mean, {v, g.graph.add_i64("m", {2, 3})}), kToLast()));
  g.output("y", g.transpose(v, kToLast()));
  CHECK(settle(g) >= 5);
  CHECK(ops_of(g).find("Transpose") == std::string::npos);
}

TEST_CASE("move_transposes: two Transposes in a row become one") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {2, 3, 4});
  g.output("y", g.unary(UnaryKind::neg, g.transpose(g.transpose(x, {1, 0, 2}), {0, 2, 1})));
  settle(g);
  CHECK(ops_of(g) == "Unary Transpose");
}

TEST_CASE("move_transposes: a Transpose that moves only dims of one element becomes a Reshape") {
  GraphMaker g;
  g.output("y", g.transpose(g.input("x", DType::f32, {2, 1, 1, 5}), kToFirst()));
  CHECK(settle(g) == 1);
  CHECK(ops_of(g) == "Reshape");
}

TEST_CASE("move_transposes: does not push past an operand that is laid out otherwise") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {2, 4, 5, 3});
  ir::Value* z = g.input("z", DType::f32, {2, 3, 4, 5});
  ir::Value* w = g.input("w", DType::f32, {2, 3, 5, 4});
  g.output("y", g.binary(BinaryKind::add, g.transpose(x, kToFirst()), z));
  g.output("w", g.binary(BinaryKind::add, g.transpose(x, kToFirst()), g.transpose(w, {0, 1, 3, 2})));
  settle(g);
  CHECK(ops_of(g) == "Transpose Binary Transpose Transpose Binary");
}

TEST_CASE("move_transposes: does not push past operators whose meaning depends on the order of dims") {
  GraphMaker g;
  ir::Value* t = g.transpose(g.input("x", DType::f32, {2, 4, 5, 3}), kToFirst());
  g.output("flat", g.node("flat", schema::FlattenOptionsT{}, {t}));
  g.output("norm", g.node("norm", schema::LayerNormOptionsT{}, {t, g.f32({5}, {1, 2, 3, 4, 5})}));
  CHECK(settle(g) == 0);
  CHECK(ops_of(g) == "Transpose Flatten LayerNorm");
}

TEST_CASE("move_transposes: a reduction that drops dims keeps its Transpose") {
  GraphMaker g;
  ir::Value* t = g.transpose(g.input("x", DType::f32, {2, 4, 5, 3}), kToFirst());
  schema::ReduceOptionsT o;
  o.keepdims = false;
  g.output("y", g.node("sum", o, {t, g.graph.add_i64("axes", {1})}));
  CHECK(settle(g) == 0);
}

TEST_CASE("move_transposes: per-channel quantization keeps its channel") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {2, 4, 5, 3});
  schema::QuantizeOptionsT q;
  q.axis = 1;
  schema::DequantizeOptionsT dq;
  dq.axis = 1;
  ir::Value *scale = g.f32({3}, {0.5f, 0.01f, 0.02f}), *t = g.transpose(x, kToFirst());
  ir::Value* codes = g.node("q", q, {t, scale});
  g.output("y", g.transpose(g.node("dq", dq, {codes, scale}), kToLast()));
  CHECK(settle(g) >= 2);
  CHECK(ops_of(g) == "Quantize Dequantize");
}
