// fold_dequantized: dequantized constants that stayed float become f32 constants, once fuse_qdq has had its turn.
#include "tests/support/pass_trial.h"

using namespace pith;
using schema::BinaryKind;

namespace {

ir::Value* codes(GraphMaker& g, std::vector<int8_t> values) {
  uint8_t* p = nullptr;
  ir::Bytes bytes = ir::new_bytes(values.size(), &p);
  std::memcpy(p, values.data(), values.size());
  ir::Value* v = g.graph.add_constant("codes", DType::i8, Shape{static_cast<int64_t>(values.size())}, bytes);
  v->quant = ir::Quant{{0.5f}, {1}, -1, 0};
  return v;
}

ir::Value* dequantized(GraphMaker& g) {
  return g.node("dq", schema::DequantizeOptionsT{}, {codes(g, {-3, 1, 5})});
}

}  // namespace

TEST_CASE("fold_dequantized: a dequantized constant becomes f32; fold_constants leaves it alone") {
  GraphMaker g;
  ir::Value* x = g.input("x", DType::f32, {3});
  g.output("y", g.binary(BinaryKind::add, x, dequantized(g)));
  CHECK(try_pass(g, fold_constants) == 0);
  CHECK(ops_of(g) == "Dequantize Binary");
  CHECK(try_pass(g, fold_dequantized) == 1);
  REQUIRE(ops_of(g) == "Binary");
  CHECK(g.graph.in_order()[0]->in(1)->elements<float>()[0] == -2);  // (-3 - 1) / 2
}

TEST_CASE("fold_dequantized: does not fire on dequantized activations") {
  GraphMaker g;
  ir::Value* q = g.input("x", DType::i8, {3});
  q->quant = ir::Quant{{0.5f}, {1}, -1, 0};
  g.output("y", g.node("dq", schema::DequantizeOptionsT{}, {q}));
  CHECK(try_pass(g, fold_dequantized) == 0);
}
