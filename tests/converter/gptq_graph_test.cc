// GPTQ on a graph, from calibration items to packed weights that the runtime reads.
#include <doctest/doctest.h>

#include <cmath>

#include "converter/quantize/collect_moments.h"
#include "converter/quantize/gptq.h"
#include "converter/quantize/packed_products.h"
#include "converter/quantize/product_rows.h"
#include "tests/support/distributions.h"
#include "tests/support/emitted_graph.h"

namespace pith {
namespace {

using namespace quantize;

// Smooth images, as neighbouring pixels are.
std::vector<float> image(int64_t height, int64_t width, int64_t channels, uint64_t seed) {
  testing::Draw draw(seed);
  std::vector<float> x;
  const double a = draw.normal(), b = draw.normal(), c = draw.normal();
  for (int64_t h = 0; h < height; ++h)
    for (int64_t w = 0; w < width; ++w)
      for (int64_t i = 0; i < channels; ++i)
        x.push_back(
            static_cast<float>(1 + std::sin(a + 0.5 * b * double(h) + 0.5 * c * double(w) + 0.3 * double(i)) +
                               0.1 * draw.normal()));
  return x;
}

struct ConvNet {
  GraphMaker maker;
  ir::Node* conv = nullptr;
  ConvNet() {
    schema::ConvOptionsT o;
    o.pads = {1, 1, 1, 1};
    ir::Value* x = maker.input("x", DType::f32, {1, 8, 9, 7});
    const auto w = testing::normals(16 * 3 * 3 * 7, 0, 0.2, 3);
    conv = maker.node("conv", o, {x, maker.graph.add_f32("w", {16, 3, 3, 7}, w)})->producer;
    maker.output("y", conv->out());
  }
  std::vector<float> run(uint64_t seed) {
    return test::run_floats(maker.open(), image(8, 9, 7, seed), BackendChoice::automatic).y;
  }
};

ItemSource images(int64_t items) {
  return {items, [](int64_t item, Session& session) -> Status {
            PITH_RETURN_IF_ERROR(session.prepare());
            const auto x = image(8, 9, 7, static_cast<uint64_t>(item) + 1);
            std::copy(x.begin(), x.end(), session.input(0).as_mutable<float>());
            return Status::ok();
          }};
}

}  // namespace

TEST_CASE(
    "GPTQ of a convolution, packed and run, comes closer to the float model on new items than the search") {
  ConvNet exact, searched, fed_back;
  REQUIRE(pack_grouped_products(searched.maker.graph, {Layout::i4s8, 32}).is_ok());
  ir::Graph& graph = fed_back.maker.graph;
  ir::Node* const nodes[] = {fed_back.conv};
  const Status s = collect_moments(
      graph, nodes, images(24), {},
      [&](std::span<ir::Node* const> sharing, const ProductMoments& m) -> Status {
        ir::Node* node = sharing.front();
        PITH_ASSIGN(const ProductMatrix matrix, product_matrix(*node));
        CHECK(matrix.run == 21);
        const Moments moments = packed_moments(matrix, m.fit);
        CHECK(moments.columns() == 72);  // kernel rows of 24
        const std::vector<float> w = padded_rows(node->in(1)->elements<float>(), node->in(1)->shape);
        PITH_ASSIGN(const GptqWeights q,
                    quantize_gptq(w, matrix.outputs, moments.columns(), {Layout::i4s8, 32}, moments));
        CHECK(q.report.dead_columns == 9);
        return pack_groups(graph, node, q.weights);
      });
  REQUIRE_MESSAGE(s.is_ok(), s.message());
  double search_error = 0, gptq_error = 0;
  for (uint64_t seed = 1000; seed < 1008; ++seed) {
    const auto y = exact.run(seed), a = searched.run(seed), b = fed_back.run(seed);
    for (size_t i = 0; i < y.size(); ++i) {
      search_error += std::pow(double{a[i]} - y[i], 2);
      gptq_error += std::pow(double{b[i]} - y[i], 2);
    }
  }
  MESSAGE("squared error of the output: search " << search_error << ", GPTQ " << gptq_error);
  CHECK(gptq_error < 0.5 * search_error);
}

TEST_CASE("codes of another shape are not packed into a node") {
  ConvNet net;
  const auto q = quantize_groups(testing::normals(16 * 64), 16, 64, {});
  const Status s = pack_groups(net.maker.graph, net.conv, q.value());
  CHECK(s.message().find("[16, 64]") != std::string::npos);
}

}  // namespace pith
