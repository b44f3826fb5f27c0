// Half-precision models before int8: inner f16 tensors become f32, the types at the border stay.
#include "converter/quantize/widen_half.h"

#include <doctest/doctest.h>

#include <cstring>

#include "kernels/base/float16.h"
#include "tests/support/tiny_graphs.h"

using namespace pith;
using namespace pith::quantize;
using namespace pith::testing;

namespace {

ir::Value* cast(TinyGraph& g, const std::string& name, ir::Value* x, DType to) {
  schema::OpUnion op;
  op.Set(schema::CastOptionsT{});
  ir::Node* n = g.graph.add_node(g.graph.main, nullptr, name, std::move(op), {x});
  n->out()->dtype = to;
  n->out()->shape = x->shape;
  return n->out();
}

ir::Value* half_input(TinyGraph& g, Shape shape) {
  ir::Value* x = g.input("x", shape);
  x->dtype = DType::f16;
  return x;
}

}  // namespace

TEST_CASE("widening: casts and concats between products vanish into f32, input and output stay f16") {
  TinyGraph g;
  ir::Value* x = cast(g, "in", half_input(g, {2, 8}), DType::f32);
  ir::Value *a = cast(g, "a16", g.dense("a", x, 8, 4), DType::f16),
            *b = cast(g, "b16", g.dense("b", x, 8, 4), DType::f16);
  ir::Value* joined = g.concat("joined", {a, b});
  joined->dtype = DType::f16;
  ir::Value* y = g.dense("c", cast(g, "wide", joined, DType::f32), 8, 2);
  g.output(cast(g, "out", y, DType::f16));
  CHECK(widen_half_activations(g.graph).activations == 3);
  CHECK(joined->dtype == DType::f32);
  CHECK(g.node("joined")->in(0) == g.node("a")->out());
  CHECK(g.node("joined")->in(1) == g.node("b")->out());
  CHECK(g.node("c")->in(0) == joined);
  CHECK(g.node("wide") == nullptr);
  CHECK(g.node("in") != nullptr);
  CHECK(g.node("out") != nullptr);
  CHECK(g.graph.outputs[0].value->dtype == DType::f16);
  CHECK(widen_half_activations(g.graph).activations == 0);
}

TEST_CASE(
    "widening: a tensor that an f16 operator also reads keeps its type, and so do its partners in a concat") {
  TinyGraph g;
  ir::Value* x = g.input("x", {2, 8});
  ir::Value *a = cast(g, "a16", g.dense("a", x, 8, 4), DType::f16),
            *b = cast(g, "b16", g.dense("b", x, 8, 4), DType::f16);
  ir::Value* joined = g.concat("joined", {a, b});
  joined->dtype = DType::f16;
  ir::Value* other = g.unary("other", schema::UnaryKind::neg, a);
  other->dtype = DType::f16;
  g.output(other);
  g.output(g.dense("c", cast(g, "wide", joined, DType::f32), 8, 2));
  CHECK(widen_half_activations(g.graph).activations == 0);
  CHECK(a->dtype == DType::f16);
  CHECK(b->dtype == DType::f16);
  CHECK(g.node("wide") != nullptr);
}

TEST_CASE("widening: weights become the same numbers in f32") {
  TinyGraph g;
  g.output(g.dense("a", g.input("x", {2, 2}), 2, 2));
  const std::vector<float> numbers = {1.5f, -0.25f, 65504.0f, 0x1p-24f};
  uint8_t* to = nullptr;
  ir::Bytes bytes = ir::new_bytes(8, &to);
  for (size_t i = 0; i < 4; ++i) {
    const f16 h = to_f16(numbers[i]);
    std::memcpy(to + 2 * i, &h, 2);
  }
  g.graph.set_input(g.node("a"), 1, g.graph.add_constant("w16", DType::f16, {2, 2}, std::move(bytes)));
  CHECK(widen_half_weights(g.graph).weights == 1);
  const ir::Value* w = g.node("a")->in(1);
  CHECK(w->dtype == DType::f32);
  CHECK(std::vector<float>(w->elements<float>().begin(), w->elements<float>().end()) == numbers);
}
