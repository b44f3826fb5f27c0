// Matrix products with weights in halves: packed by the converter, read in place by the device.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "converter/quantize/half_weights.h"
#include "converter/quantize/packed_products.h"
#include "kernels/base/float16.h"
#include "runtime/exec/session.h"
#include "tests/support/graph_maker.h"
#include "tests/support/random_values.h"

using namespace pith;

namespace {

constexpr int64_t kM = 5, kN = 72, kK = 70;

struct Net {
  GraphMaker maker;
  std::vector<float> w, bias;
  explicit Net(int64_t n = kN) {
    test::Random random(3);
    w = random.reals(n * kK), bias = random.reals(n);
    ir::Value* x = maker.input("x", DType::f32, {kM, kK});
    ir::Value* weights = maker.f32({n, kK}, w);
    schema::FullyConnectedOptionsT o;
    maker.output("y", maker.node("product", o, {x, weights, maker.f32({n}, bias)}));
  }
};

std::vector<float> run(GraphMaker& maker, const std::vector<float>& x, std::string* kernel) {
  const auto model = maker.open();
  auto session = Session::create(model, {});
  REQUIRE(session.is_ok());
  Session& s = *session.value();
  REQUIRE(s.prepare().is_ok());
  std::memcpy(s.input(0).data, x.data(), x.size() * sizeof(float));
  REQUIRE(s.run().is_ok());
  *kernel = s.steps(0)[0].kernel.name;
  const auto* y = s.output(0).as<float>();
  return {y, y + kM * kN};
}

}  // namespace

TEST_CASE("products with weights in halves are packed, bias included, and give what the halves say") {
  Net net;
  REQUIRE(quantize::store_half_weights(net.maker.graph).halved == 1);
  REQUIRE(quantize::pack_half_products(net.maker.graph) == 1);
  const ir::Node& node = *net.maker.graph.in_order()[0];
  CHECK(node.in(1)->layout == Layout::f16_panel);
  CHECK(node.in(2) == nullptr);
  test::Random random(4);
  const auto x = random.reals(kM * kK);
  std::string kernel;
  const auto y = run(net.maker, x, &kernel);
  CHECK(kernel.find("panel_f16") == 0);
  double worst = 0;
  for (int64_t m = 0; m < kM; ++m)
    for (int64_t n = 0; n < kN; ++n) {
      double sum = net.bias[static_cast<size_t>(n)], size = std::abs(sum);
      for (int64_t k = 0; k < kK; ++k) {
        const double p = double{x[static_cast<size_t>(m * kK + k)]} *
                         to_float(to_f16(net.w[static_cast<size_t>(n * kK + k)]));
        sum += p, size += std::abs(p);
      }
      worst =
          std::max(worst, std::abs(y[static_cast<size_t>(m * kN + n)] - sum) / ((kK + 2) * size * 0x1p-24));
    }
  CHECK(worst <= 1);
}

TEST_CASE("weights that are no halves, or that something else reads too, are not packed as halves") {
  Net floats;
  CHECK(quantize::pack_half_products(floats.maker.graph) == 0);
  Net shared;
  ir::Graph& graph = shared.maker.graph;
  REQUIRE(quantize::store_half_weights(graph).halved == 1);
  ir::Value* halves = graph.in_order()[0]->in(1);
  shared.maker.output(
      "z", shared.maker.node("second", schema::FullyConnectedOptionsT{}, {graph.inputs[0], halves}));
  CHECK(quantize::pack_half_products(graph) == 0);
  CHECK(halves->layout == Layout::row_major);
  Net narrow(9);  // 16 channels wide in a panel
  REQUIRE(quantize::store_half_weights(narrow.maker.graph).halved == 1);
  CHECK(quantize::pack_half_products(narrow.maker.graph) == 0);
}
