// Cross-layer equalization keeps the function and levels the channels between two layers.
#include "converter/quantize/equalize.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "converter/compile/load_model.h"
#include "converter/passes/pass.h"
#include "runtime/exec/session.h"
#include "tests/support/tiny_graphs.h"

using namespace pith;
using namespace pith::quantize;
using namespace pith::testing;

namespace {

constexpr size_t kWidth = 16;

// fc1 -> activation -> fc2, the channels between them up to 2^10 apart although the function is an ordinary one.
void uneven_net(TinyGraph& g, schema::UnaryKind activation) {
  ir::Value* a = g.dense("fc1", g.input("x", {3, kWidth}), kWidth, kWidth);
  g.output(g.dense("fc2", g.unary("act", activation, a), kWidth, 4));
  ir::Node *first = g.node("fc1"), *second = g.node("fc2");
  const auto scaled = [&](ir::Node* node, size_t input, bool rows, bool down) {
    const ir::Value* v = node->in(input);
    std::vector<float> w(v->elements<float>().begin(), v->elements<float>().end());
    for (size_t i = 0; i < w.size(); ++i) {
      const size_t channel = rows ? i * kWidth / w.size() : i % kWidth;
      const float t = std::exp2(static_cast<float>(channel % 11));
      w[i] = down ? w[i] / t : w[i] * t;
    }
    g.graph.set_input(node, input, g.graph.add_f32(v->name + ".scaled", v->shape, w));
  };
  scaled(first, 1, true, false);
  scaled(first, 2, true, false);
  scaled(second, 1, false, true);
}

std::vector<float> outputs(const ir::Graph& graph) {
  const auto loaded = compile_in_memory(graph);
  REQUIRE_MESSAGE(loaded.is_ok(), loaded.status().message());
  const auto session = Session::create(loaded.value().model, {});
  REQUIRE(session.is_ok());
  REQUIRE(session.value()->prepare().is_ok());
  const TensorView& x = session.value()->input(0);
  const auto values = normals(static_cast<size_t>(x.count()), 0, 1, 9);
  std::copy(values.begin(), values.end(), x.as_mutable<float>());
  REQUIRE(session.value()->run().is_ok());
  const TensorView& y = session.value()->output(0);
  return {y.as<float>(), y.as<float>() + y.count()};
}

// Largest weight of the loudest output channel over that of the quietest.
double spread(const ir::Node& node) {
  const auto w = node.in(1)->elements<float>();
  const size_t row = w.size() / static_cast<size_t>(node.in(1)->shape[0]);
  double least = INFINITY, most = 0;
  for (size_t at = 0; at < w.size(); at += row) {
    double largest = 0;
    for (size_t i = at; i < at + row; ++i) largest = std::max(largest, std::fabs(double{w[i]}));
    least = std::min(least, largest);
    most = std::max(most, largest);
  }
  return most / least;
}

}  // namespace

TEST_CASE("equalize: channels between two layers become alike and the function stays") {
  TinyGraph g;
  uneven_net(g, schema::UnaryKind::relu);
  REQUIRE(run_passes(g.graph, {}).is_ok());
  const auto before = outputs(g.graph);
  const double spread_before = spread(*g.node("fc1"));
  CHECK(spread_before > 500);
  const EqualizeReport r = equalize_layers(g.graph);
  CHECK(r.pairs == 1);
  CHECK(r.rounds >= 1);
  CHECK(r.largest_factor > 4);
  CHECK(spread(*g.node("fc1")) < spread_before / 100);
  const auto after = outputs(g.graph);
  double largest = 0;
  for (const float y : before) largest = std::max(largest, std::fabs(double{y}));
  for (size_t i = 0; i < before.size(); ++i) CHECK(std::fabs(double{after[i]} - before[i]) <= 1e-5 * largest);
}

TEST_CASE("equalize: layers with a function between them that does not pass scale are left alone") {
  TinyGraph g;
  uneven_net(g, schema::UnaryKind::tanh);
  REQUIRE(run_passes(g.graph, {}).is_ok());
  const double before = spread(*g.node("fc1"));
  CHECK(equalize_layers(g.graph).pairs == 0);
  CHECK(spread(*g.node("fc1")) == before);
}

TEST_CASE("equalize: a result that others read too is left alone") {
  TinyGraph g;
  uneven_net(g, schema::UnaryKind::relu);
  g.output(g.node("act")->out());
  REQUIRE(run_passes(g.graph, {}).is_ok());
  CHECK(equalize_layers(g.graph).pairs == 0);
}
