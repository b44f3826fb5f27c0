// Units and mixtures on small graphs: every layer gets the format it was promised, or the model is not made.
#include "converter/compress/mixed_model.h"

#include <doctest/doctest.h>

#include "converter/compile/runnable.h"
#include "converter/compress/float_form.h"
#include "converter/compress/units.h"
#include "converter/data/npy.h"
#include "converter/passes/pass.h"
#include "kernels/base/float16.h"
#include "tests/support/noise_items.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_graphs.h"

using namespace pith;
using namespace pith::compress;
using namespace pith::testing;

namespace {

constexpr int64_t kWidth = 64;

// Two layers of one input, added; then a third.
TinyGraph forked() {
  TinyGraph g;
  ir::Value* x = g.input("x", {1, kWidth});
  ir::Value* a = g.dense("q", x, kWidth, kWidth);
  ir::Value* b = g.dense("k", x, kWidth, kWidth);
  ir::Value* sum = g.concat("both", {a, b});
  g.output(g.dense("last", sum, 2 * kWidth, 8));
  return g;
}

// Every weight of a node becomes f(index, weight).
template <typename F>
void change_weights(TinyGraph& g, const char* node, F f) {
  const ir::Value* w = g.node(node)->in(1);
  std::vector<float> values(w->elements<float>().begin(), w->elements<float>().end());
  for (size_t i = 0; i < values.size(); ++i) values[i] = f(i, values[i]);
  g.graph.set_input(g.node(node), 1, g.graph.add_f32(w->name + ".changed", w->shape, values));
}

const std::vector<LayerFormat> kFormats = {{Precision::fp16, 0}, {Precision::int8, 0}, {Precision::int4, 32}};

}  // namespace

TEST_CASE("layer formats: names are read back, and nonsense is refused") {
  for (const char* text : {"fp32", "fp16", "int8", "int8-dynamic", "int4", "int4-g64", "nf4", "nf4-g128"})
    CHECK_MESSAGE(parse_layer_format(text).is_ok(), text);
  CHECK(parse_layer_format("int4").value() == LayerFormat{Precision::int4, 32});
  CHECK(name_of(LayerFormat{Precision::nf4, 64}) == "nf4 g64");
  for (const char* text : {"", "int5", "int4-g", "int4-g48", "int8-g32", "int4-g32x"})
    CHECK_MESSAGE(!parse_layer_format(text).is_ok(), text);
}

TEST_CASE("units: layers of one input are one unit, and offer only what all of them can take") {
  TinyGraph g = forked();
  REQUIRE(run_passes(g.graph, {}).is_ok());
  name_all_nodes(g.graph);
  const std::vector<Unit> units = find_units(g.graph, kFormats);
  REQUIRE(units.size() == 2);
  CHECK(units[0].nodes == std::vector<std::string>{"q", "k"});
  CHECK(units[0].weights == 2 * kWidth * kWidth);
  CHECK(units[1].nodes == std::vector<std::string>{"last"});
  for (const Unit& u : units) {
    CHECK(u.formats.size() == 4);
    CHECK(u.formats[0] == LayerFormat{});
  }
}

TEST_CASE("units: nodes of one name, or none, get names of their own") {
  TinyGraph g = forked();
  for (const auto& node : g.graph.main.nodes) node->name = node->name == "last" ? "" : "same";
  name_all_nodes(g.graph);
  std::set<std::string> names;
  for (const auto& node : g.graph.main.nodes) names.insert(node->name);
  CHECK(names.size() == g.graph.main.nodes.size());
}

TEST_CASE("mixed model: each layer has its own format, and the float graph is untouched") {
  TinyGraph g = forked();
  REQUIRE(run_passes(g.graph, {}).is_ok());
  name_all_nodes(g.graph);
  auto maker = MixedModel::create(std::move(g.owned), noise_items(24, 50), {});
  REQUIRE_MESSAGE(maker.is_ok(), maker.status().message());
  const auto graph = maker.value().make(
      {{"q", {Precision::int8, 0}}, {"k", {Precision::int4, 32}}, {"last", {Precision::fp16, 0}}});
  REQUIRE_MESSAGE(graph.is_ok(), graph.status().message());
  std::map<std::string, DType> weights;
  for (const auto& node : graph.value()->main.nodes)
    if (node->is(schema::Op::FullyConnectedOptions)) weights[node->name] = node->in(1)->dtype;
  CHECK(weights["q"] == DType::i8);
  CHECK(weights["k"] == DType::i4);
  CHECK(weights["last"] == DType::f16);
  for (const auto& node : maker.value().float_graph().main.nodes)
    if (node->is(schema::Op::FullyConnectedOptions)) CHECK(node->in(1)->dtype == DType::f32);
  const auto model = runnable(*graph.value(), 1);
  REQUIRE_MESSAGE(model.is_ok(), model.status().message());
  CHECK(model.value().session->run().is_ok());
}

// A model published in half precision: the passes narrow its weights whenever they run, also behind a rewrite.
TEST_CASE("mixed model: layers with weights that are exact halves take every format") {
  TinyGraph g = forked();
  for (const char* name : {"q", "k", "last"})
    change_weights(g, name, [](size_t, float x) { return to_float(to_f16(x)); });
  REQUIRE(run_passes(g.graph, {}).is_ok());
  REQUIRE(g.node("q")->in(1)->dtype == DType::f16);
  name_all_nodes(g.graph);
  auto maker = MixedModel::create(std::move(g.owned), noise_items(24, 50), {});
  REQUIRE_MESSAGE(maker.is_ok(), maker.status().message());
  CHECK(find_units(maker.value().float_graph(), kFormats).size() == 2);
  const auto graph = maker.value().make(
      {{"q", {Precision::int8, 0}}, {"k", {Precision::int4, 32}}, {"last", {Precision::int4, 32}}});
  REQUIRE_MESSAGE(graph.is_ok(), graph.status().message());
  for (const auto& node : graph.value()->main.nodes)
    if (node->is(schema::Op::FullyConnectedOptions))
      CHECK(node->in(1)->dtype == (node->name == "q" ? DType::i8 : DType::i4));
}

TEST_CASE("mixed model: int8 without calibration is an error that asks for data") {
  TinyGraph g = forked();
  REQUIRE(run_passes(g.graph, {}).is_ok());
  auto maker = MixedModel::create(std::move(g.owned), {}, {});
  REQUIRE(maker.is_ok());
  CHECK_FALSE(maker.value().has_calibration());
  CHECK(maker.value().make({{"q", {Precision::int8, 0}}}).status().message().find("--calibrate") !=
        std::string::npos);
  CHECK(maker.value().make({{"q", {Precision::int4, 32}}}).is_ok());
}

TEST_CASE(
    "float forms: with outlier channels a rewrite is kept, and it is never worse than the form as it came") {
  TinyGraph g;
  ir::Value* x = g.input("x", {4, kWidth});
  ir::Value* hidden = g.dense("first", x, kWidth, kWidth);
  g.output(g.dense("second", hidden, kWidth, 8));
  // One channel between the layers is 200 times larger; the weights that read it are as much smaller.
  change_weights(g, "first", [](size_t i, float v) { return i / kWidth == 3 ? 200 * v : v; });
  change_weights(g, "second", [](size_t i, float v) { return i % kWidth == 3 ? v / 200 : v; });
  REQUIRE(run_passes(g.graph, {}).is_ok());
  const auto original = runnable(g.graph, 1);
  REQUIRE(original.is_ok());
  const test::TempFolder folder;
  const auto values = normals(size_t{64} * 4 * kWidth, 0, 1, 7);
  REQUIRE(data::write_npy(folder / "x.npy", DType::f32, std::vector<int64_t>{64, 4, kWidth}, values.data())
              .is_ok());
  const auto set = data::Dataset::open(folder / "x.npy");
  REQUIRE(set.is_ok());
  const auto feed = eval::DatasetFeed::create(set.value(), *original.value().session);
  REQUIRE_MESSAGE(feed.is_ok(), feed.status().message());
  const quantize::ItemSource source{64,
                                    [&](int64_t item, Session& to) { return feed.value().feed(item, to); }};
  const auto exact =
      eval::ReferenceOutputs::record(*original.value().session, feed.value(), {3, 7, 11, 15, 19});
  REQUIRE(exact.is_ok());
  FormOptions options;
  options.aim = {Precision::int8, 0};
  auto chosen = choose_float_form(g.graph.copy(), source, {}, exact.value(), options);
  REQUIRE_MESSAGE(chosen.is_ok(), chosen.status().message());
  const auto& trials = chosen.value().trials;
  REQUIRE(trials.size() == 4);
  CHECK(trials[0].form == FloatForm::as_it_came);
  CHECK(chosen.value().winner != 0);
  CHECK(trials[chosen.value().winner].output_sqnr_db > trials[0].output_sqnr_db + 10);
  for (const FormTrial& t : trials)
    if (t.failure.empty()) CHECK(trials[chosen.value().winner].output_sqnr_db >= t.output_sqnr_db);
  options.only = {FloatForm::as_it_came};
  auto plain = choose_float_form(g.graph.copy(), source, {}, exact.value(), options);
  REQUIRE(plain.is_ok());
  CHECK(plain.value().trials.size() == 1);
}
