// AdaRound in the chosen model: kept only where held-back rows and the model's outputs gain.
#include "converter/compress/learned_rounding.h"

#include "converter/compress/analytic_bias.h"

#include <doctest/doctest.h>

#include "converter/compile/runnable.h"
#include "converter/data/npy.h"
#include "converter/eval/dataset_feed.h"
#include "converter/passes/pass.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_graphs.h"

using namespace pith;
using namespace pith::compress;
using namespace pith::testing;

namespace {

constexpr int64_t kWidth = 48, kItems = 96, kRows = 16;

// Two layers on rows whose channels depend on each other: where rounding to the nearest is far from the best.
struct Net {
  test::TempFolder folder;
  std::unique_ptr<ir::Graph> graph;
  Runnable original;
  data::Dataset set;
  eval::DatasetFeed feed;
  eval::ReferenceOutputs exact;
  MixedModel maker;
  std::vector<Unit> units;

  quantize::ItemSource source() const {
    return {kItems, [this](int64_t item, Session& to) { return feed.feed(item, to); }};
  }

  explicit Net(const std::vector<LayerFormat>& formats) {
    TinyGraph g;
    ir::Value* hidden = g.dense("first", g.input("x", {kRows, kWidth}), kWidth, kWidth);
    g.output(g.dense("second", g.unary("act", schema::UnaryKind::relu, hidden), kWidth, 10));
    REQUIRE(run_passes(g.graph, {}).is_ok());
    name_all_nodes(g.graph);
    auto values = normals(static_cast<size_t>(kItems * kRows * kWidth), 0, 1, 7);
    for (size_t i = 1; i < values.size(); ++i)
      if (i % kWidth != 0) values[i] = 0.9f * values[i - 1] + 0.2f * values[i];
    REQUIRE(data::write_npy(folder / "x.npy", DType::f32, std::vector<int64_t>{kItems, kRows, kWidth},
                            values.data())
                .is_ok());
    set = data::Dataset::open(folder / "x.npy").value();
    original = std::move(runnable(g.graph, 1)).value();
    feed = eval::DatasetFeed::create(set, *original.session).value();
    std::vector<int64_t> judging;
    for (int64_t i = 3; i < kItems; i += 4) judging.push_back(i);
    exact = std::move(eval::ReferenceOutputs::record(*original.session, feed, judging)).value();
    auto made = MixedModel::create(std::move(g.owned), source(), {});
    REQUIRE_MESSAGE(made.is_ok(), made.status().message());
    maker = std::move(made).value();
    units = find_units(maker.float_graph(), formats);
    auto ladders = climb_ladders(maker.float_graph(), units, source(), {});
    REQUIRE_MESSAGE(ladders.is_ok(), ladders.status().message());
    maker.set_ladders(std::move(ladders).value());
  }

  double noise_of(const ir::Graph& g) const {
    const auto model = runnable(g, 1);
    REQUIRE_MESSAGE(model.is_ok(), model.status().message());
    return exact.distance(*model.value().session).value().noise_share;
  }
};

}  // namespace

TEST_CASE("learned rounding: 4-bit layers lose less on held-back rows, and the model's outputs come closer") {
  const LayerFormat format{Precision::int4, 32};
  Net net({format});
  const PrecisionPlan plan = {{"first", format}, {"second", format}};
  auto model = std::move(net.maker.make_unpacked(plan)).value();
  const double before = net.noise_of(*model);
  const auto r = learn_rounding({net.maker, plan, net.source(), net.exact, kItems, 1, {}}, &model);
  REQUIRE_MESSAGE(r.is_ok(), r.status().message());
  REQUIRE(r.value().layers.size() == 2);
  for (const LayerRounding& layer : r.value().layers) {
    CAPTURE(layer.node);
    CAPTURE(layer.note);
    CHECK(layer.loss_after <= layer.loss_before);
    if (layer.kept) CHECK(layer.moved > 0);
  }
  REQUIRE(r.value().step.tried);
  const double after = net.noise_of(*model);
  MESSAGE("output noise " << before << " -> " << after);
  CHECK(r.value().step.kept);
  CHECK(after < before);
  // Making the model again gives the rounded codes, and the ladder tells of them.
  CHECK(net.noise_of(*net.maker.make_unpacked(plan).value()) == after);
  for (const LayerRounding& layer : r.value().layers)
    if (layer.kept) {
      const LadderResult& ladder = net.maker.ladders().at(layer.node).at(format);
      CHECK(ladder.rungs[ladder.winner].method == WeightMethod::adaround);
    }
}

TEST_CASE(
    "analytic bias: inputs with a mean make plain 4-bit weights shift their outputs, and the shift is taken "
    "out") {
  const LayerFormat format{Precision::nf4, 64};
  Net net({format});
  const PrecisionPlan plan = {{"second", format}};  // its inputs come from a Relu: no mean of zero
  auto model = std::move(net.maker.make_unpacked(plan)).value();
  const double before = net.noise_of(*model);
  const auto r = correct_bias_analytically({net.maker, plan, net.source(), net.exact, kItems, 1, {}}, &model);
  REQUIRE_MESSAGE(r.is_ok(), r.status().message());
  CHECK(r.value().layers == 1);
  CHECK(r.value().channels > 0);
  CHECK(r.value().channels <= 10);
  CHECK(r.value().step.tried);
  const double after = net.noise_of(*model);
  MESSAGE("output noise " << before << " -> " << after);
  CHECK(r.value().step.kept);
  CHECK(after < before);
}

TEST_CASE("learned rounding: int8 layers that lose almost nothing are left alone, and it says why") {
  const LayerFormat format{Precision::int8, 0};
  Net net({format});
  const PrecisionPlan plan = {{"first", format}, {"second", format}};
  auto model = std::move(net.maker.make_unpacked(plan)).value();
  const auto r = learn_rounding({net.maker, plan, net.source(), net.exact, kItems, 1, {}}, &model);
  REQUIRE_MESSAGE(r.is_ok(), r.status().message());
  REQUIRE(r.value().layers.size() == 2);
  CHECK_FALSE(r.value().step.tried);
  for (const LayerRounding& layer : r.value().layers) {
    CHECK(layer.loss_before > 0);
    CHECK(layer.note == "loses too little to need it");
  }
}

TEST_CASE("learned rounding: one coarse scale for all channels makes int8 layers need it") {
  const LayerFormat format{Precision::int8, 0};
  Net net({format});
  // One channel of 60 times the weights: with one scale the others have two or three codes each way.
  ir::Node* first = nullptr;
  for (const auto& node : net.maker.float_graph().main.nodes)
    if (node->name == "first") first = node.get();
  REQUIRE(first != nullptr);
  std::vector<float> w(first->in(1)->elements<float>().begin(), first->in(1)->elements<float>().end());
  for (int64_t i = 0; i < kWidth; ++i) w[static_cast<size_t>(i)] *= 30;
  ir::Graph& graph = net.maker.float_graph();
  graph.set_input(first, 1, graph.add_f32("first.big", {kWidth, kWidth}, w));
  auto copy = graph.copy();
  net.original = std::move(runnable(*copy, 1)).value();
  std::vector<int64_t> judging;
  for (int64_t i = 3; i < kItems; i += 4) judging.push_back(i);
  net.exact = std::move(eval::ReferenceOutputs::record(*net.original.session, net.feed, judging)).value();
  quantize::StaticInt8Options coarse;
  coarse.per_channel = false;
  auto made = MixedModel::create(std::move(copy), net.source(), coarse);
  REQUIRE(made.is_ok());
  const PrecisionPlan plan = {{"first", format}};
  auto model = std::move(made.value().make_unpacked(plan)).value();
  const double before = net.noise_of(*model);
  const auto r = learn_rounding({made.value(), plan, net.source(), net.exact, kItems, 1, {}}, &model);
  REQUIRE_MESSAGE(r.is_ok(), r.status().message());
  REQUIRE(r.value().layers.size() == 1);
  CHECK(r.value().layers[0].loss_before > 1e-4);
  CHECK(r.value().layers[0].loss_after < r.value().layers[0].loss_before);
  MESSAGE("output noise " << before << " -> " << net.noise_of(*model));
  CHECK(net.noise_of(*model) <= before);
}
