// Static int8 from end to end on small graphs: calibrate, rewrite, fuse, run, and stay close to float.
#include "converter/quantize/static_int8.h"

#include <doctest/doctest.h>

#include <cmath>

#include "converter/emit/emit.h"
#include "converter/ir/verify.h"
#include "converter/passes/pass.h"
#include "tests/support/tiny_graphs.h"

using namespace pith;
using namespace pith::quantize;
using namespace pith::testing;
using schema::BinaryKind;
using schema::UnaryKind;

namespace {

constexpr int64_t kItems = 40;

void fill(int64_t item, Session& session) {
  const TensorView& x = session.input(0);
  const auto v = normals(static_cast<size_t>(x.count()), 0, 1, 1000 + static_cast<uint64_t>(item));
  std::copy(v.begin(), v.end(), x.as_mutable<float>());
}

ItemSource noise() {
  return {kItems, [](int64_t item, Session& session) -> Status {
            PITH_RETURN_IF_ERROR(session.prepare());
            fill(item, session);
            return Status::ok();
          }};
}

// Outputs of the graph on items that calibration did not see.
std::vector<float> outputs(const ir::Graph& graph) {
  const auto file = emit_memory(graph, {});
  REQUIRE_MESSAGE(file.is_ok(), file.status().message());
  const auto model = Model::from_memory({file.value().data, file.value().size}, {});
  REQUIRE_MESSAGE(model.is_ok(), model.status().message());
  const auto session = Session::create(model.value(), {});
  REQUIRE_MESSAGE(session.is_ok(), session.status().message());
  std::vector<float> all;
  for (int64_t item = kItems; item < kItems + 20; ++item) {
    const Status ready = session.value()->prepare();
    REQUIRE_MESSAGE(ready.is_ok(), ready.message());
    fill(item, *session.value());
    const Status s = session.value()->run();
    REQUIRE_MESSAGE(s.is_ok(), s.message());
    const TensorView& y = session.value()->output(0);
    all.insert(all.end(), y.as<float>(), y.as<float>() + y.count());
  }
  return all;
}

double sqnr(const std::vector<float>& exact, const std::vector<float>& got) {
  REQUIRE(exact.size() == got.size());
  double signal = 0, error = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    signal += double{exact[i]} * exact[i];
    error += (double{exact[i]} - got[i]) * (double{exact[i]} - got[i]);
  }
  return sqnr_db(signal, error);
}

// fc1 -> hard_swish -> fc2 -> (+ fc1) -> fc3
void residual_net(TinyGraph& g) {
  ir::Value* x = g.input("x", {4, 32});
  ir::Value* a = g.dense("fc1", x, 32, 64);
  ir::Value* b = g.dense("fc2", g.unary("act", UnaryKind::hard_swish, a), 64, 64);
  g.output(g.dense("fc3", g.binary("sum", BinaryKind::add, a, b), 64, 8));
}

size_t count(const ir::Graph& graph, schema::Op op) {
  size_t n = 0;
  for (const ir::Node* node : graph.in_order()) n += node->is(op) ? 1 : 0;
  return n;
}

}  // namespace

TEST_CASE(
    "static int8: a residual net stays within 8-bit noise of float, as pairs and as integer operators") {
  TinyGraph g;
  residual_net(g);
  const auto exact = outputs(g.graph);
  const auto report = quantize_static_int8(g.graph, noise(), {});
  REQUIRE_MESSAGE(report.is_ok(), report.status().message());
  CHECK(report.value().quantized_products == 3);
  CHECK(report.value().float_products == 0);
  CHECK(report.value().items == kItems);
  const Status valid = ir::verify(g.graph, "static_int8");
  CHECK_MESSAGE(valid.is_ok(), valid.message());
  // Six grids in a row, each about 40 dB for clipped Gaussians: 40 - 10 log10(6) = 32 dB, and weights at 42
  // dB.
  const double as_pairs = sqnr(exact, outputs(g.graph));
  CHECK(as_pairs > 30);
  REQUIRE(run_passes(g.graph, {}).is_ok());
  CHECK(count(g.graph, schema::Op::QuantizeOptions) == 1);    // the input
  CHECK(count(g.graph, schema::Op::DequantizeOptions) == 1);  // the output
  const double as_integers = sqnr(exact, outputs(g.graph));
  CHECK(as_integers > 30);
  CHECK(std::fabs(as_integers - as_pairs) < 1.5);
}

TEST_CASE("static int8: the report names every node, every grid and its tournament") {
  TinyGraph g;
  residual_net(g);
  StaticInt8Options options;
  options.keep_float = {"fc2"};
  const auto r = quantize_static_int8(g.graph, noise(), options);
  REQUIRE(r.is_ok());
  size_t kept = 0;
  for (const NodeReport& n : r.value().nodes) {
    if (n.name == "fc2") {
      CHECK_FALSE(n.quantized);
      CHECK(n.reason == "kept in float by request");
      ++kept;
    }
    if (n.name == "fc1") CHECK(n.weight_sqnr_db > 35);
  }
  CHECK(kept == 1);
  CHECK(r.value().quantized_products == 2);
  CHECK(r.value().float_products == 1);
  for (const TensorReport& t : r.value().tensors) {
    CAPTURE(t.names[0]);
    CHECK(t.decision.sqnr_db > 30);
    CHECK(t.decision.tournament.entries.size() >= 1);
    CHECK(t.decision.tournament.gain_over_first >= 1);
  }
  options.keep_float = {"no such node"};
  CHECK_FALSE(quantize_static_int8(g.graph, noise(), options).is_ok());
}

TEST_CASE("static int8: parts of very different range are not forced onto one grid") {
  TinyGraph g;
  ir::Value* x = g.input("x", {4, 32});
  ir::Value* small = g.dense("small", x, 32, 16);
  ir::Value* big = g.binary("big", BinaryKind::mul, g.dense("b", x, 32, 16),
                            g.graph.add_f32("thousand", {}, std::vector<float>{1000.0f}));
  g.output(g.dense("out", g.concat("join", {small, big}), 32, 8));
  const auto r = quantize_static_int8(g.graph, noise(), {});
  REQUIRE_MESSAGE(r.is_ok(), r.status().message());
  for (const NodeReport& n : r.value().nodes)
    if (n.name == "join") {
      CHECK_FALSE(n.quantized);
      CHECK(n.reason.find("'small' would lose") != std::string::npos);
    }
}

TEST_CASE("static int8: an error leaves the graph as it was") {
  TinyGraph g;
  residual_net(g);
  const size_t nodes = g.graph.in_order().size();
  const ItemSource failing{3, [](int64_t, Session&) { return Status(Code::io, "gone"); }};
  CHECK(quantize_static_int8(g.graph, failing, {}).status().message() == "gone");
  CHECK(g.graph.in_order().size() == nodes);
  CHECK(g.graph.outputs.size() == 1);
}

TEST_CASE("static int8: the same data give the same codes") {
  TinyGraph a, b;
  residual_net(a);
  residual_net(b);
  REQUIRE(quantize_static_int8(a.graph, noise(), {}).is_ok());
  REQUIRE(quantize_static_int8(b.graph, noise(), {}).is_ok());
  const auto x = emit_memory(a.graph, {}).value(), y = emit_memory(b.graph, {}).value();
  REQUIRE(x.size == y.size);
  CHECK(std::equal(x.data, x.data + x.size, y.data));
}

TEST_CASE("static int8: a model without a product to quantize is refused with the reasons") {
  TinyGraph g;
  residual_net(g);
  StaticInt8Options options;
  options.keep_float = {"fc1", "fc2", "fc3"};
  const auto r = quantize_static_int8(g.graph, noise(), options);
  REQUIRE_FALSE(r.is_ok());
  CHECK(r.status().code() == Code::unsupported);
  CHECK(r.status().message().find("node 'fc2': kept in float by request") != std::string::npos);
}
