// unfold_lstm: one step of an LSTM is a matrix product and a cell.
#include "tests/support/pass_trial.h"

using namespace pith;
using schema::UnaryKind;

namespace {

constexpr int64_t kBatch = 2, kInputs = 5, kHidden = 3;

struct Lstm {
  int64_t steps = 1;
  bool batch_first = false, state = true, bias = true, lens = false;
  schema::RecurrentOptionsT o = {};

  // Outputs y, h and c.
  void make(GraphMaker& g) {
    test::Random random(3);
    o.cell = schema::CellKind::lstm;
    o.hidden_size = kHidden;
    o.batch_first = batch_first;
    const auto shape = [&](int64_t first, int64_t last) {
      return batch_first ? Shape{kBatch, first, last} : Shape{first, kBatch, last};
    };
    const auto constant = [&](const Shape& s) { return g.f32(s, random.reals(s.count(), -1, 1)); };
    std::vector<ir::Value*> inputs = {
        g.input("x", DType::f32, shape(steps, kInputs)), constant({1, 4 * kHidden, kInputs}),
        constant({1, 4 * kHidden, kHidden}), bias ? constant({1, 8 * kHidden}) : nullptr};
    inputs.push_back(lens ? g.input("lens", DType::i32, {kBatch}) : nullptr);
    if (state) {
      inputs.push_back(g.input("h0", DType::f32, shape(1, kHidden)));
      inputs.push_back(g.input("c0", DType::f32, shape(1, kHidden)));
    }
    schema::OpUnion op;
    op.Set(o);
    ir::Node* n = g.graph.add_node(g.graph.main, nullptr, "lstm", std::move(op), inputs, 3);
    REQUIRE(ir::infer_node(*n).is_ok());
    const char* names[] = {"y", "h", "c"};
    for (size_t i = 0; i < 3; ++i) g.output(names[i], n->out(i));
  }
};

size_t fired(Lstm lstm) {
  GraphMaker g;
  lstm.make(g);
  return try_pass(g, unfold_lstm, 1e-6);
}

}  // namespace

TEST_CASE("unfold_lstm: one product of all weights, the cell, and the shapes of before") {
  for (const bool batch_first : {false, true}) {
    GraphMaker g;
    Lstm{.batch_first = batch_first}.make(g);
    const Shape y = g.graph.outputs[0].value->shape, c = g.graph.outputs[2].value->shape;
    CHECK(try_pass(g, unfold_lstm, 1e-6) == 1);
    CHECK(g.graph.outputs[0].value->shape == y);
    CHECK(g.graph.outputs[2].value->shape == c);
    size_t products = 0;
    for (const ir::Node* node : g.graph.in_order()) {
      CHECK_FALSE(node->is(schema::Op::RecurrentOptions));
      if (!node->is(schema::Op::FullyConnectedOptions)) continue;
      ++products;
      CHECK(node->in(1)->shape == Shape{4 * kHidden, kInputs + kHidden});
    }
    CHECK(products == 1);
  }
}

TEST_CASE("unfold_lstm: without a bias, without a first state, backwards") {
  CHECK(fired({.bias = false}) == 1);
  CHECK(fired({.state = false}) == 1);
  Lstm backwards;
  backwards.o.direction = schema::Direction::reverse;
  CHECK(fired(backwards) == 1);
  Lstm spelled;
  spelled.o.activations = {UnaryKind::sigmoid, UnaryKind::tanh, UnaryKind::tanh};
  spelled.o.alphas = spelled.o.betas = {0, 0, 0};
  CHECK(fired(spelled) == 1);
}

TEST_CASE("unfold_lstm: several steps, lengths, clipping, coupled gates and other functions stay a layer") {
  CHECK(fired({.steps = 2}) == 0);
  CHECK(fired({.lens = true}) == 0);
  Lstm clipped, coupled, other;
  clipped.o.clip = 1;
  coupled.o.input_forget = true;
  other.o.activations = {UnaryKind::sigmoid, UnaryKind::relu, UnaryKind::tanh};
  for (const Lstm& lstm : {clipped, coupled, other}) CHECK(fired(lstm) == 0);
}
