// Planning: which nodes run on codes, which tensors share a grid, and what stays float for which reason.
#include "converter/quantize/int8_plan.h"

#include <doctest/doctest.h>

#include "tests/support/tiny_graphs.h"

using namespace pith;
using namespace pith::quantize;
using namespace pith::testing;
using schema::BinaryKind;
using schema::UnaryKind;

namespace {

bool active(TinyGraph& g, const Int8Plan& plan, const char* name) {
  REQUIRE(g.node(name) != nullptr);
  return plan.active(g.node(name));
}

std::string reason(TinyGraph& g, const Int8Plan& plan, const char* name) {
  for (const PlannedNode& p : plan.nodes)
    if (p.node == g.node(name)) return p.reason;
  return "?";
}

}  // namespace

TEST_CASE("plan: elementwise operators between products run on codes, the ones around them do not") {
  TinyGraph g;
  ir::Value* x = g.input("x", {4, 8});
  ir::Value* scaled = g.unary("before", UnaryKind::abs, x);
  ir::Value* a = g.dense("fc1", scaled, 8, 16);
  ir::Value* b = g.unary("act", UnaryKind::hard_swish, a);
  ir::Value* c = g.dense("fc2", b, 16, 16);
  ir::Value* sum = g.binary("sum", BinaryKind::add, b, c);
  ir::Value* d = g.dense("fc3", sum, 16, 4);
  ir::Value* tail = g.unary("after", UnaryKind::hard_swish, d);
  g.output(g.softmax("probabilities", tail));
  const Int8Plan plan = plan_int8(g.graph, {});
  for (const char* name : {"fc1", "act", "fc2", "sum", "fc3"}) CHECK(active(g, plan, name));
  for (const char* name : {"before", "after", "probabilities"}) CHECK_FALSE(active(g, plan, name));
  CHECK(reason(g, plan, "before").find("float operator") != std::string::npos);
  CHECK(reason(g, plan, "after").find("no integer product reads") != std::string::npos);
  CHECK(plan.groups.size() == 6);  // scaled, a, b, c, sum, d
  CHECK(plan.values().size() == 6);
  CHECK(plan.groups[plan.group_of.at(d)].leaves);
  CHECK_FALSE(plan.groups[plan.group_of.at(b)].leaves);
}

TEST_CASE("plan: what only moves values shares one grid; a detection tail of concats stays float") {
  TinyGraph g;
  ir::Value* x = g.input("x", {4, 8});
  ir::Value *a = g.dense("a", x, 8, 8), *b = g.dense("b", x, 8, 8);
  ir::Value* joined = g.concat("joined", {a, b});
  ir::Value *boxes = g.dense("boxes", joined, 16, 4), *scores = g.dense("scores", joined, 16, 2);
  g.output(g.concat("detections", {boxes, g.unary("sigmoid", UnaryKind::sigmoid, scores)}));
  const Int8Plan plan = plan_int8(g.graph, {});
  CHECK(active(g, plan, "joined"));
  CHECK_FALSE(active(g, plan, "detections"));
  CHECK_FALSE(active(g, plan, "sigmoid"));
  CHECK(plan.group_of.at(a) == plan.group_of.at(b));
  CHECK(plan.group_of.at(a) == plan.group_of.at(joined));
  CHECK(plan.group_of.at(a) != plan.group_of.at(boxes));
  CHECK(plan.groups[plan.group_of.at(a)].values == std::vector<ir::Value*>{a, b, joined});
}

TEST_CASE("plan: sigmoid and tanh have known grids unless joined with something else") {
  TinyGraph g;
  ir::Value* x = g.input("x", {4, 8});
  ir::Value* a = g.dense("a", x, 8, 8);
  ir::Value* gate = g.unary("gate", UnaryKind::sigmoid, a);
  ir::Value* squash = g.unary("squash", UnaryKind::tanh, a);
  ir::Value* cell = g.binary("cell", BinaryKind::mul, gate, squash);
  ir::Value* both = g.concat("both", {gate, cell});
  g.output(g.dense("out", both, 16, 4));
  const Int8Plan plan = plan_int8(g.graph, {});
  CHECK(plan.groups[plan.group_of.at(squash)].fixed == kSignedUnitGrid);
  CHECK_FALSE(plan.groups[plan.group_of.at(gate)].fixed.has_value());  // shares with cell through the concat
  TinyGraph alone;
  ir::Value* y = alone.unary("gate", UnaryKind::sigmoid, alone.dense("a", alone.input("x", {4, 8}), 8, 8));
  ir::Value* twice = alone.concat("twice", {y, y});
  alone.output(alone.dense("out", twice, 16, 4));
  const Int8Plan moved = plan_int8(alone.graph, {});
  CHECK(moved.groups[moved.group_of.at(twice)].fixed == kUnitGrid);
}

TEST_CASE("plan: kept nodes, variable weights and other types stay float and say so") {
  TinyGraph g;
  ir::Value* x = g.input("x", {4, 8});
  ir::Value* a = g.dense("a", x, 8, 8);
  ir::Value* r = g.unary("r", UnaryKind::relu, a);
  ir::Value* b = g.dense("b", r, 8, 8);
  g.output(b);
  Int8Plan plan = plan_int8(g.graph, {{g.node("a"), "too sensitive"}});
  CHECK(reason(g, plan, "a") == "too sensitive");
  CHECK_FALSE(active(g, plan, "r"));  // its input is float now
  CHECK(active(g, plan, "b"));
  g.graph.set_input(g.node("b"), 1, g.input("w", {8, 8}));
  plan = plan_int8(g.graph, {});
  CHECK(reason(g, plan, "b").find("weights") != std::string::npos);
  CHECK_FALSE(active(g, plan, "r"));
  a->dtype = DType::f16;
  plan = plan_int8(g.graph, {});
  CHECK(reason(g, plan, "a").find("f32") != std::string::npos);
  CHECK(plan.groups.empty());
}

TEST_CASE("plan: elementwise functions that need more than 8 bits break the region") {
  TinyGraph g;
  ir::Value* a = g.dense("a", g.input("x", {4, 8}), 8, 8);
  ir::Value* e = g.unary("e", UnaryKind::exp, a);
  g.output(g.dense("b", e, 8, 8));
  const Int8Plan plan = plan_int8(g.graph, {});
  CHECK_FALSE(active(g, plan, "e"));
  CHECK(plan.groups.size() == 4);  // x, a, e, b: both ends of exp become codes for the products' sake
}
