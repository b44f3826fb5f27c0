// Constants read back from a file: the values that kernels see, codes, bits; how far two forms of a layer are apart.
#include "converter/inspect/stored_weights.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "converter/compile/load_model.h"
#include "converter/inspect/model_nodes.h"
#include "converter/inspect/weight_distance.h"
#include "converter/quantize/packed_products.h"
#include "tests/support/tiny_graphs.h"

using namespace pith;
using namespace pith::testing;

namespace {

constexpr int64_t kInputs = 70, kOutputs = 33;  // neither is a multiple of panels or groups

struct Packed {
  LoadedModel file;
  std::vector<float> source;
  inspect::ModelNode node;
};

// One layer, its weights packed in `layout`; row_major: as they are.
Packed layer(Layout layout, size_t group = 32) {
  TinyGraph g;
  g.output(g.dense("fc", g.input("x", {2, kInputs}), kInputs, kOutputs));
  Packed out;
  const auto w = g.node("fc")->in(1)->elements<float>();
  out.source.assign(w.begin(), w.end());
  if (layout != Layout::row_major) {
    quantize::GroupOptions options;
    options.layout = layout;
    options.group = group;
    REQUIRE(quantize::pack_grouped_products(g.graph, options, {}).is_ok());
  }
  auto file = compile_in_memory(g.graph);
  REQUIRE_MESSAGE(file.is_ok(), file.status().message());
  out.file = std::move(file).value();
  out.node = *inspect::find_node(inspect::nodes_of(*out.file.model), "fc");
  return out;
}

inspect::StoredWeights stored(const Packed& packed) {
  REQUIRE(packed.node.weights() == std::vector<size_t>{1});
  auto w = inspect::read_stored_weights(*packed.node.inputs[1]);
  REQUIRE_MESSAGE(w.is_ok(), w.status().message());
  return std::move(w).value();
}

}  // namespace

TEST_CASE("stored weights: every 4-bit layout is read back as codes times scales near the source") {
  for (const Layout layout : {Layout::i4s8, Layout::i4f16, Layout::i4a, Layout::lut4, Layout::lut4s8}) {
    CAPTURE(static_cast<int>(layout));
    const Packed packed = layer(layout);
    const inspect::StoredWeights w = stored(packed);
    CHECK(w.channels == kOutputs);
    CHECK(w.inner == kInputs);
    REQUIRE(w.codes.size() == packed.source.size());
    CHECK(w.scales.size() == kOutputs * 3);  // groups of 32, 32 and 6
    CHECK(w.bits_per_weight() > 4);
    CHECK(w.bits_per_weight() < 8);
    if (layout == Layout::i4s8 || layout == Layout::i4f16)
      for (size_t i = 0; i < w.values.size(); ++i) {
        const size_t at = i / kInputs * 3 + i % kInputs / 32;
        CHECK(w.values[i] == doctest::Approx(double{w.scales[at]} * (w.codes[i] - 8)).epsilon(1e-6));
      }
    const auto d = inspect::weight_distance(stored(layer(Layout::row_major)), w, false, kInputs);
    REQUIRE(d.is_ok());
    CHECK(d.value().error.sqnr_db() > 19);
    CHECK(d.value().error.sqnr_db() < 26);
    CHECK(d.value().worst_channel_db < d.value().error.sqnr_db());
  }
}

TEST_CASE("stored weights: the histogram counts every weight once, and its shares are right") {
  const inspect::StoredWeights w = stored(layer(Layout::i4s8));
  const inspect::CodeSpread spread = inspect::spread_of(w, 16);
  REQUIRE(spread.bins.size() == 16);
  uint64_t total = 0;
  for (size_t i = 0; i < 16; ++i) {
    CHECK(spread.bins[i].low == static_cast<double>(i));
    CHECK(spread.bins[i].high == static_cast<double>(i));
    CHECK(spread.bins[i].count ==
          static_cast<uint64_t>(std::count(w.codes.begin(), w.codes.end(), static_cast<int32_t>(i))));
    total += spread.bins[i].count;
  }
  CHECK(total == w.values.size());
  CHECK(spread.entropy > 2);
  CHECK(spread.entropy <= 4);
  const double ends = static_cast<double>(spread.bins[0].count + spread.bins[15].count);
  CHECK(spread.end_share == doctest::Approx(ends / static_cast<double>(total)));
  // Floats are counted between their least and largest.
  const inspect::CodeSpread floats = inspect::spread_of(stored(layer(Layout::row_major)), 8);
  REQUIRE(floats.bins.size() == 8);
  uint64_t sum = 0;
  for (const inspect::CodeBin& bin : floats.bins) sum += bin.count;
  CHECK(sum == w.values.size());
  CHECK(floats.bins[3].count > floats.bins[0].count);
}

TEST_CASE("stored weights: padding of packed kernel rows is no weight") {
  ir::Graph graph;
  ir::Value* x = graph.add_value("x", DType::f32, {1, 6, 6, 3});
  graph.inputs.push_back(x);
  const auto w = normals(5 * 3 * 3 * 3, 0, 0.2, 5);  // kernel rows of 9 are stored as 12
  schema::ConvOptionsT conv;
  conv.strides = {1, 1};
  conv.pads = {1, 1, 1, 1};
  conv.dilations = {1, 1};
  schema::OpUnion op;
  op.Set(std::move(conv));
  ir::Node* node =
      graph.add_node(graph.main, nullptr, "conv", std::move(op), {x, graph.add_f32("w", {5, 3, 3, 3}, w)});
  node->out()->dtype = DType::f32;
  node->out()->shape = {1, 6, 6, 5};
  graph.outputs.push_back({"y", node->out()});
  REQUIRE(quantize::pack_grouped_products(graph, {}, {}).is_ok());
  const auto file = compile_in_memory(graph);
  REQUIRE_MESSAGE(file.is_ok(), file.status().message());
  const auto nodes = inspect::nodes_of(*file.value().model);
  const auto back = inspect::read_stored_weights(*inspect::find_node(nodes, "conv")->inputs[1]);
  REQUIRE_MESSAGE(back.is_ok(), back.status().message());
  REQUIRE(back.value().values.size() == w.size());
  double noise = 0, signal = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    noise += std::pow(double{w[i]} - double{back.value().values[i]}, 2);
    signal += double{w[i]} * double{w[i]};
  }
  CHECK(10 * std::log10(signal / noise) > 18);
}

TEST_CASE("weight distance: factors of channels are taken out when asked for, and only then") {
  inspect::StoredWeights a, b;
  a.channels = b.channels = 12;
  a.inner = b.inner = 20;
  a.values = normals(240, 0, 1, 3);
  const auto rows = uniforms(12, 0.2, 5, 4), columns = uniforms(20, 0.1, 8, 5);
  for (size_t i = 0; i < 240; ++i) b.values.push_back(a.values[i] * rows[i / 20] * columns[i % 20]);
  const auto plain = inspect::weight_distance(a, b, false, 20);
  REQUIRE(plain.is_ok());
  CHECK_FALSE(plain.value().fitted);
  CHECK(plain.value().error.sqnr_db() < 5);
  const auto fitted = inspect::weight_distance(a, b, true, 20);
  REQUIRE(fitted.is_ok());
  CHECK(fitted.value().fitted);
  CHECK(fitted.value().error.sqnr_db() > 90);
  // Noise of -20 dB is still seen through the factors.
  const auto noise = normals(240, 0, 0.1, 6);
  for (size_t i = 0; i < 240; ++i) b.values[i] += noise[i] * rows[i / 20] * columns[i % 20];
  CHECK(inspect::weight_distance(a, b, true, 20).value().error.sqnr_db() ==
        doctest::Approx(20).epsilon(0.15));
  b.inner = 10;
  b.channels = 24;
  CHECK_FALSE(inspect::weight_distance(a, b, true, 20).is_ok());
}
