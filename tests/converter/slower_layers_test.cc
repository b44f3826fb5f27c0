// Layers that codes slow down are named: a long softmax of codes has no vector kernel, that of floats has.
#include "converter/compile/slower_layers.h"

#include "converter/passes/pass.h"
#include "tests/support/qdq_graph.h"

using namespace pith;

namespace {

struct Pair {
  GraphMaker floats;
  QdqGraph quantized;
};

// One operator between codes, and the same between floats.
template <class OptionsT>
void make(Pair* p, const OptionsT& options) {
  constexpr int64_t kRows = 64, kLong = 1000;
  ir::Value* x = p->floats.input("x", DType::f32, {kRows, kLong});
  p->floats.output("y", p->floats.node("middle", options, {x}));
  x = p->quantized.through(p->quantized.input("x", DType::f32, {kRows, kLong}));
  p->quantized.output("y", p->quantized.through(p->quantized.node("middle", options, {x})));
  REQUIRE(run_passes(p->quantized.graph, {}).is_ok());
  REQUIRE(p->quantized.left_in_float() == 0);
}

std::vector<SlowerLayer> found(const Pair& p) {
  const auto slower = slower_layers(p.floats.graph, p.quantized.graph);
  REQUIRE_MESSAGE(slower.is_ok(), slower.status().message());
  return slower.value();
}

}  // namespace

#if PITH_WITH_XNNPACK
TEST_CASE("a layer that codes are expected to slow down is named with both times") {
  Pair p;
  make(&p, schema::SoftmaxOptionsT{});
  const std::vector<SlowerLayer> layers = found(p);
  REQUIRE(layers.size() == 1);
  CHECK(layers[0].name == "middle");
  CHECK(layers[0].op == "Softmax");
  CHECK(layers[0].codes_ns > layers[0].float_ns);
  const std::string note = slower_note(layers);
  CHECK(note.find("1 layer is expected to be slower with int8") != std::string::npos);
  CHECK(note.find("Softmax 'middle'") != std::string::npos);
}
#endif

TEST_CASE("a function of one code is a table: no slower than floats, and nothing is said") {
  Pair p;
  schema::UnaryOptionsT tanh;
  tanh.kind = schema::UnaryKind::tanh;
  make(&p, tanh);
  CHECK(found(p).empty());
  CHECK(slower_note({}).empty());
}
