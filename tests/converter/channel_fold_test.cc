// Factors moved between layers leave the outputs of the graph alone; where they cannot move, the reason is given.
#include "converter/quantize/channel_fold.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/emitted_graph.h"
#include "tests/support/norm_block.h"

namespace pith {
namespace {

using namespace quantize;

std::vector<double> factors(size_t n) {
  std::vector<double> f(n);
  for (size_t i = 0; i < n; ++i) f[i] = std::exp2(0.7 * static_cast<double>(i % 9) - 3);
  return f;
}

std::vector<float> result(GraphMaker& g, const std::vector<float>& x) {
  return test::run_floats(g.open(), x, BackendChoice::automatic).y;
}

void check_equal(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0, difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::fabs(double{a[i]}));
    difference = std::max(difference, std::fabs(double{a[i]} - b[i]));
  }
  CHECK(difference < 1e-5 * largest);  // sums of up to 100 products, each rounded anew
}

// The fold of the consumers is done: the output stays, the consumers' weights do not.
void check_fold(GraphMaker& g, std::vector<ir::Node*> consumers, const std::vector<float>& x) {
  const std::vector<float> before = result(g, x);
  const auto fold = find_channel_fold(g.graph, consumers);
  REQUIRE_MESSAGE(fold.is_ok(), fold.status().message());
  const float first = consumers[0]->in(1)->elements<float>()[0];
  fold_channels(g.graph, fold.value(), factors(fold.value().channels));
  CHECK(consumers[0]->in(1)->elements<float>()[0] == doctest::Approx(first * factors(1)[0]));
  check_equal(before, result(g, x));
}

std::string reason(GraphMaker& g, std::vector<ir::Node*> consumers) {
  return find_channel_fold(g.graph, consumers).status().message();
}

}  // namespace

TEST_CASE("factors move from query, key and value into the norm before them, with and without its bias") {
  for (const bool rms : {false, true}) {
    testing::NormBlock b(16, rms);
    check_fold(b.maker, {b.first, b.second}, b.rows(3, 1));
  }
}

TEST_CASE("factors move through ReLU, pools and gates into the rows of a layer") {
  {
    GraphMaker g;  // convolution, ReLU, pool, convolution
    schema::ConvOptionsT o;
    schema::PoolOptionsT pool;
    pool.kernel = {2, 2};
    pool.strides = {2, 2};
    ir::Value* x = g.input("x", DType::f32, {1, 6, 6, 3});
    ir::Value* a =
        g.node("a", o, {x, g.f32({8, 3, 3, 3}, testing::normals(8 * 27)), g.f32({8}, testing::normals(8))});
    ir::Value* p = g.node("p", pool, {g.unary(schema::UnaryKind::relu, a)});
    ir::Value* y = g.node("y", o, {p, g.f32({5, 2, 2, 8}, testing::normals(5 * 32, 0, 1, 9))});
    g.output("y", y);
    check_fold(g, {y->producer}, testing::normals(108, 0, 1, 4));
  }
  {
    GraphMaker g;  // gelu(gate) * up -> down
    const schema::FullyConnectedOptionsT o;
    ir::Value* x = g.input("x", DType::f32, {3, 10});
    ir::Value* gate = g.node("gate", o, {x, g.f32({12, 10}, testing::normals(120, 0, 1, 2))});
    ir::Value* up = g.node("up", o, {x, g.f32({12, 10}, testing::normals(120, 0, 1, 3))});
    ir::Value* h = g.binary(schema::BinaryKind::mul, g.unary(schema::UnaryKind::gelu, gate), up);
    ir::Value* y = g.node("down", o, {h, g.f32({7, 12}, testing::normals(84, 0, 1, 5))});
    g.output("y", y);
    CHECK(find_channel_fold(g.graph, std::vector{y->producer}).value().producer == up->producer);
    check_fold(g, {y->producer}, testing::normals(30, 0, 1, 6));
  }
}

TEST_CASE("where a factor cannot go, the reason names the tensor and what stands in the way") {
  testing::NormBlock b(16, false);
  CHECK(reason(b.maker, {b.first}).find("also read by '" + b.second->name + "'") != std::string::npos);
  CHECK(reason(b.maker, {b.last}).find("can give no factor up") != std::string::npos);  // gelu in between
  b.maker.output("norm", b.first->in(0));
  CHECK(reason(b.maker, {b.first, b.second}).find("output of the model") != std::string::npos);
  CHECK_FALSE(find_channel_fold(b.maker.graph, {}).is_ok());

  GraphMaker g;
  schema::FullyConnectedOptionsT capped;
  capped.clamp_min = 0, capped.clamp_max = 6;
  ir::Value* x = g.input("x", DType::f32, {3, 4});
  ir::Value* a = g.node("a", capped, {x, g.f32({5, 4}, testing::normals(20))});
  ir::Value* y = g.node("y", schema::FullyConnectedOptionsT{}, {a, g.f32({2, 5}, testing::normals(10))});
  g.output("y", y);
  CHECK(reason(g, {y->producer}).find("'a', which can give no factor up") != std::string::npos);  // ReLU6
  CHECK(reason(g, {a->producer}).find("from outside") != std::string::npos);
}

}  // namespace pith
