// Second moments: sums against plain loops, rows against what the runtime computes from them, rounds against one pass.
#include "converter/quantize/moments.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "converter/quantize/collect_moments.h"
#include "converter/quantize/product_rows.h"
#include "tests/support/distributions.h"
#include "tests/support/graph_maker.h"
#include "tests/support/tiny_graphs.h"

namespace pith {
namespace {

using namespace quantize;
using testing::normals;

std::vector<float> sparse_rows(size_t count, size_t k, uint64_t seed) {
  return testing::relu(normals(count * k, 0.1, 1, seed));
}

// Every item: its own random values, the same whenever it is asked for.
ItemSource random_items(int64_t items) {
  return {items, [](int64_t item, Session& session) -> Status {
            PITH_RETURN_IF_ERROR(session.prepare());
            const TensorView& x = session.input(0);
            const auto v = normals(static_cast<size_t>(x.count()), 0.2, 1, static_cast<uint64_t>(item) + 1);
            std::memcpy(x.data, v.data(), v.size() * sizeof(float));
            return Status::ok();
          }};
}

std::map<std::string, ProductMoments> collected(ir::Graph& graph, std::span<ir::Node* const> nodes,
                                                const MomentsOptions& options, int64_t items = 8) {
  std::map<std::string, ProductMoments> out;
  const Status s = collect_moments(graph, nodes, random_items(items), options,
                                   [&](std::span<ir::Node* const> sharing, const ProductMoments& m) {
                                     for (const ir::Node* n : sharing) out[n->name] = m;
                                     return Status::ok();
                                   });
  REQUIRE_MESSAGE(s.is_ok(), s.message());
  return out;
}

bool same(const Moments& a, const Moments& b) {
  if (a.rows() != b.rows() || a.columns() != b.columns()) return false;
  for (size_t i = 0; i < a.columns(); ++i) {
    if (a.mean(i) != b.mean(i) || a.largest(i) != b.largest(i)) return false;
    for (size_t j = i; j < a.columns(); ++j)
      if (a.mean_product(i, j) != b.mean_product(i, j)) return false;
  }
  return true;
}

// dense a -> relu -> dense b, c (sharing the relu) -> d(b)
struct Net {
  testing::TinyGraph g;
  std::vector<ir::Node*> nodes;
  Net() {
    ir::Value* x = g.input("x", {3, 20});
    ir::Value* h = g.unary("h", schema::UnaryKind::relu, g.dense("a", x, 20, 12));
    ir::Value* b = g.dense("b", h, 12, 9);
    g.output(g.dense("c", h, 12, 5));
    g.output(g.dense("d", b, 9, 4));
    for (const char* name : {"a", "b", "c", "d"}) nodes.push_back(g.node(name));
  }
};

}  // namespace

TEST_CASE("moments are the plain sums over the rows, in the same order for every thread count") {
  constexpr size_t kColumns = 70, kRows = 21;
  const std::vector<float> x = sparse_rows(kRows, kColumns, 5);
  const auto pool = ThreadPool::create(2);
  Moments m(kColumns, true), threaded(kColumns, true), squares(kColumns, false);
  m.add(x);
  threaded.add(x, pool.get());
  squares.add(x);
  CHECK(m.rows() == kRows);
  CHECK(same(m, threaded));
  for (size_t i = 0; i < kColumns; ++i) {
    double sum = 0, largest = 0;
    for (size_t r = 0; r < kRows; ++r) {
      sum += x[r * kColumns + i];
      largest = std::max(largest, std::abs(double{x[r * kColumns + i]}));
    }
    CHECK(m.mean(i) == doctest::Approx(sum / kRows));
    CHECK(m.largest(i) == largest);
    CHECK(m.mean_magnitude(i) == doctest::Approx(sum / kRows));  // rows are not negative
    for (size_t j = 0; j < kColumns; ++j) {
      double product = 0;
      for (size_t r = 0; r < kRows; ++r) product += double{x[r * kColumns + i]} * x[r * kColumns + j];
      CHECK(m.mean_product(i, j) == doctest::Approx(product / kRows));
    }
    CHECK(squares.mean_square(i) == doctest::Approx(m.mean_square(i)));
  }
}

TEST_CASE("scaled and padded moments are those of scaled and padded rows; the loss is that of the rows") {
  constexpr size_t kRows = 30;
  const std::vector<float> x = normals(kRows * 12, 0.3, 1, 9), w = normals(5 * 12, 0, 1, 3);
  std::vector<float> decoded = w;
  for (size_t i = 0; i < decoded.size(); ++i) decoded[i] = std::nearbyint(4 * w[i]) / 4;
  Moments m(12, true);
  m.add(x);
  double loss = 0;
  for (size_t r = 0; r < kRows; ++r)
    for (size_t o = 0; o < 5; ++o) {
      double e = 0;
      for (size_t j = 0; j < 12; ++j) e += double{x[r * 12 + j]} * (w[o * 12 + j] - decoded[o * 12 + j]);
      loss += e * e / kRows;
    }
  CHECK(proxy_loss(w, decoded, 5, m) == doctest::Approx(loss));

  std::vector<double> factors(12);
  for (size_t j = 0; j < 12; ++j) factors[j] = std::ldexp(1.0, static_cast<int>(j % 3) - 1);
  std::vector<float> y = x, z;
  for (size_t i = 0; i < y.size(); ++i) y[i] = static_cast<float>(y[i] * factors[i % 12]);
  Moments expected(12, true);
  expected.add(y);
  CHECK(same(m.scaled(factors), expected));

  for (size_t i = 0; i < x.size(); ++i) {  // taps of 3 channels, padded to 4
    z.push_back(x[i]);
    if (i % 3 == 2) z.push_back(0);
  }
  Moments padded(16, true);
  padded.add(z);
  CHECK(same(m.with_padded_runs(3, 4), padded));
}

TEST_CASE("the patches of a convolution times its weights are its output") {
  GraphMaker g;
  schema::ConvOptionsT o;
  o.strides = {2, 1};
  o.pads = {1, 0, 0, 2};
  o.dilations = {1, 2};
  ir::Value* x = g.input("x", DType::f32, {2, 7, 6, 3});
  const auto w = normals(4 * 3 * 2 * 3, 0, 0.5, 8);
  g.output("y", g.node("conv", o, {x, g.f32({4, 3, 2, 3}, w)}));
  struct Sink : TraceSink {
    std::vector<float> rows, y;
    void on_step(const StepTrace& step) override {
      const auto r = product_rows(*step.node, 18, 1000, 1);
      REQUIRE_MESSAGE(r.is_ok(), r.status().message());
      rows = r.value();
      const TensorView& t = step.node->out(0);
      y.assign(t.as<float>(), t.as<float>() + t.count());
    }
  } sink;
  auto session = Session::create(g.open(), {}).value();
  session->set_trace(&sink);
  REQUIRE(random_items(1).feed(0, *session).is_ok());
  REQUIRE(session->run().is_ok());
  REQUIRE(sink.y.size() * 18 == sink.rows.size() * 4);
  for (size_t i = 0; i < sink.y.size(); ++i) {
    double sum = 0;
    for (size_t j = 0; j < 18; ++j) sum += double{sink.rows[i / 4 * 18 + j]} * w[i % 4 * 18 + j];
    CHECK(sink.y[i] == doctest::Approx(sum).epsilon(1e-4));
  }
}

TEST_CASE("moments of several products: rounds and threads change nothing, readers of one tensor share") {
  Net net;
  const auto whole = collected(net.g.graph, net.nodes, {});
  CHECK(whole.at("a").fit.rows() == 18);  // 6 of 8 items of 3 rows
  CHECK(whole.at("a").judge.rows() == 6);
  CHECK(same(whole.at("b").fit, whole.at("c").fit));
  MomentsOptions tight;
  tight.threads = 2;
  tight.max_bytes = moments_bytes(20, tight);
  int64_t runs = 0;
  tight.progress = [&](int64_t done, int64_t total) {
    runs = done;
    CHECK(total == 16);
  };
  const auto rounds = collected(net.g.graph, net.nodes, tight);
  CHECK(runs == 16);  // two rounds of 8 items
  for (const auto& [name, m] : whole) {
    CHECK(same(m.fit, rounds.at(name).fit));
    CHECK(same(m.judge, rounds.at(name).judge));
  }
  // The two judging items give half of the sample each, evenly over their rows.
  const auto sampled = collected(net.g.graph, net.nodes, {.sample_rows = 4});
  CHECK(sampled.at("a").sample.size() == 4 * 20);
  const auto item3 = normals(60, 0.2, 1, 4);
  CHECK(std::equal(item3.begin(), item3.begin() + 40, sampled.at("a").sample.begin()));
  const auto few = collected(net.g.graph, net.nodes, {.max_rows = 2});
  CHECK(few.at("d").fit.rows() == 12);
}

TEST_CASE("later rounds see what earlier ones made of the graph") {
  Net net;
  MomentsOptions o;
  o.max_bytes = moments_bytes(20, o);
  double magnitude = -1;
  const Status s = collect_moments(
      net.g.graph, net.nodes, random_items(8), o,
      [&](std::span<ir::Node* const> sharing, const ProductMoments& m) {
        ir::Node* node = sharing.front();
        if (node->name == "b") magnitude = m.fit.mean_magnitude(0);
        const std::vector<float> zero(node->in(1)->elements<float>().size());
        for (const size_t i : {size_t{1}, size_t{2}})
          net.g.graph.set_input(
              node, i,
              net.g.graph.add_f32("zero", node->in(i)->shape,
                                  std::span(zero).first(static_cast<size_t>(node->in(i)->shape.count()))));
        return Status::ok();
      });
  REQUIRE_MESSAGE(s.is_ok(), s.message());
  CHECK(magnitude == 0);
}

TEST_CASE("what has no matrix, breaks the bound or is not finite is refused by name") {
  Net net;
  const auto keep = [](std::span<ir::Node* const>, const ProductMoments&) { return Status::ok(); };
  const auto run = [&](std::vector<ir::Node*> nodes, const ItemSource& source, const MomentsOptions& o) {
    return collect_moments(net.g.graph, nodes, source, o, keep).message();
  };
  CHECK(run({net.g.node("h")}, random_items(4), {}).find("'h'") != std::string::npos);
  CHECK(run(net.nodes, random_items(4), {.max_bytes = 1000}).find("'a'") != std::string::npos);
  CHECK(run(net.nodes, random_items(0), {}).find("at least one item") != std::string::npos);
  ItemSource broken{4, [](int64_t item, Session& session) -> Status {
                      PITH_RETURN_IF_ERROR(random_items(4).feed(item, session));
                      if (item == 2) session.input(0).as_mutable<float>()[7] = NAN;
                      return Status::ok();
                    }};
  const std::string message = run(net.nodes, broken, {});
  CHECK(message.find("item 2") != std::string::npos);
  CHECK(message.find("'x'") != std::string::npos);
}

}  // namespace pith
