// Files with packed weights: what is written is what runs, and what cannot be is refused when the file is opened.
#include <doctest/doctest.h>

#include <cmath>

#include "converter/quantize/packed_products.h"
#include "tests/support/emitted_graph.h"
#include "tests/support/random_values.h"

namespace pith {
namespace {

using test::open_status;
using test::refused;

struct Net {
  GraphMaker maker;
  ir::Node* product = nullptr;
};

// y = clamp(x . w + bias), x [3, 70], w [40, 70].
void build(Net& net, bool constant_bias = true) {
  test::Random random(5);
  GraphMaker& g = net.maker;
  ir::Value* x = g.input("x", DType::f32, {3, 70});
  ir::Value* w = g.graph.add_f32("w", {40, 70}, random.reals(40 * 70));
  ir::Value* b =
      constant_bias ? g.graph.add_f32("b", {40}, random.reals(40)) : g.input("b", DType::f32, {40});
  schema::FullyConnectedOptionsT o;
  o.clamp_min = -2;
  ir::Value* y = g.node("fc", o, {x, w, b});
  g.output("y", y);
  net.product = y->producer;
}

std::vector<float> run(const std::shared_ptr<const Model>& model, BackendChoice backend,
                       std::string* taken_by) {
  test::FirstRun run = test::run_floats(model, test::Random(6).reals(3 * 70), backend);
  *taken_by = run.backend;
  return run.y;
}

void pack(Net& net, Layout layout = Layout::i4s8) {
  build(net);
  const auto report = quantize::pack_grouped_products(net.maker.graph, {layout, 32});
  REQUIRE_MESSAGE(report.is_ok(), report.status().message());
  REQUIRE(report.value().packed == 1);
}

}  // namespace

TEST_CASE("a product with packed weights and bias runs like the float one") {
  Net plain;
  build(plain);
  std::string backend;
  const std::vector<float> expected = run(plain.maker.open(), BackendChoice::reference, &backend);
  for (Layout layout : {Layout::i4s8, Layout::i4f16, Layout::i4a, Layout::lut4, Layout::lut4s8}) {
    Net net;
    pack(net, layout);
    CAPTURE(static_cast<int>(layout));
    const std::vector<float> y = run(net.maker.open(), BackendChoice::automatic, &backend);
    CHECK(backend == "pith");
    CHECK(run(net.maker.open(), BackendChoice::xnnpack, &backend) == y);
    CHECK(backend == "reference");
    double signal = 0, noise = 0;
    for (size_t i = 0; i < y.size(); ++i) {
      signal += static_cast<double>(expected[i]) * expected[i];
      noise += std::pow(static_cast<double>(expected[i]) - y[i], 2);
      CHECK(y[i] >= -2);
    }
    CHECK(10 * std::log10(signal / noise) > 17);  // uniform weights: 20 dB of their own, and 8-bit rows
  }
}

TEST_CASE("a product whose bias is no constant stays float, and says so") {
  Net net;
  build(net, false);
  const auto report = quantize::pack_grouped_products(net.maker.graph, {Layout::i4s8, 32});
  REQUIRE_FALSE(report.is_ok());
  CHECK(report.status().code() == Code::unsupported);
}

TEST_CASE("packed weights that cannot be what they claim are refused at open") {
  {
    Net net;
    pack(net);
    CHECK(open_status(net.maker.graph).is_ok());
    net.product->in(1)->group = 64;
    refused(net.maker.graph, "needs");
  }
  {
    Net net;
    pack(net);
    net.product->in(1)->group = 48;
    refused(net.maker.graph, "group");
  }
  {
    Net net;
    pack(net);
    net.product->in(1)->shape = Shape({72, 70});
    refused(net.maker.graph, "needs");
  }
  {
    Net net;
    pack(net);
    net.product->in(1)->shape = Shape({int64_t{1} << 40, int64_t{1} << 40});
    refused(net.maker.graph, "'w'");
  }
  {
    Net net;
    pack(net);
    net.product->in(1)->dtype = DType::i8;
    refused(net.maker.graph, "packed as i4 but declared as i8");
  }
  {
    Net net;
    pack(net, Layout::lut4);
    net.product->in(1)->codebook.resize(15);
    refused(net.maker.graph, "16 values");
  }
  {
    Net net;
    pack(net);
    net.product->in(1)->layout = static_cast<Layout>(99);
    refused(net.maker.graph, "layout 99");
  }
}

TEST_CASE("packed weights are refused where an operator would read them as numbers") {
  Net net;
  pack(net);
  GraphMaker& g = net.maker;
  ir::Value* packed = net.product->in(1);
  packed->dtype = DType::f32;
  ir::Value* z = g.unary(schema::UnaryKind::abs, packed);
  g.output("z", z);
  packed->dtype = DType::i4;
  refused(net.maker.graph, "cannot read the packed weights");
}

TEST_CASE("a second bias beside packed weights is refused") {
  Net net;
  pack(net);
  GraphMaker& g = net.maker;
  g.graph.set_input(net.product, 2, g.graph.add_f32("again", {40}, std::vector<float>(40)));
  test::refused_by_session(g.graph, "bias");
}

}  // namespace pith
