// The whole static int8 flow: what it decides is never worse on the judging items, and it says what it decided.
#include "converter/compile/int8_flow.h"

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "converter/compile/int8_summary.h"
#include "converter/data/npy.h"
#include "converter/passes/pass.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_graphs.h"

using namespace pith;
using namespace pith::testing;
using nlohmann::json;

namespace {

constexpr int64_t kWidth = 24;

std::string data_of(const test::TempFolder& folder, int64_t items) {
  const auto values = normals(static_cast<size_t>(items * kWidth), 0.3, 1, 77);
  const std::vector<int64_t> shape = {items, kWidth};
  const std::string path = folder / "inputs.npy";
  REQUIRE(data::write_npy(path, DType::f32, shape, values.data()).is_ok());
  return path;
}

// fc1 -> relu -> fc2 -> relu -> fc3; the channels of fc1 are up to 2^`octaves` apart, which fc2 makes up for.
void build(TinyGraph& g, int octaves) {
  ir::Value* a =
      g.unary("r1", schema::UnaryKind::relu, g.dense("fc1", g.input("x", {1, kWidth}), kWidth, kWidth));
  ir::Value* b = g.unary("r2", schema::UnaryKind::relu, g.dense("fc2", a, kWidth, kWidth));
  g.output(g.dense("fc3", b, kWidth, 8));
  const auto scale = [&](const char* name, size_t input, bool rows, int sign) {
    const ir::Value* v = g.node(name)->in(input);
    std::vector<float> w(v->elements<float>().begin(), v->elements<float>().end());
    for (size_t i = 0; i < w.size(); ++i) {
      const size_t channel = rows ? i * kWidth / w.size() : i % kWidth;
      w[i] = std::ldexp(w[i], sign * static_cast<int>(channel % static_cast<size_t>(octaves + 1)));
    }
    g.graph.set_input(g.node(name), input, g.graph.add_f32(v->name + ".scaled", v->shape, w));
  };
  scale("fc1", 1, true, 1);
  scale("fc1", 2, true, 1);
  scale("fc2", 1, false, -1);
}

struct Made {
  std::unique_ptr<ir::Graph> graph;
  Int8FlowReport report;
};

Made flow(const std::string& data, int octaves, bool equalize, bool bias) {
  Int8FlowOptions options;
  options.calibration = data;
  options.equalize = equalize;
  options.correct_bias = bias;
  Made made;
  TinyGraph g;
  build(g, octaves);
  REQUIRE(run_passes(g.graph, {}).is_ok());
  auto graph = run_int8_flow(g.graph, options, &made.report);
  REQUIRE_MESSAGE(graph.is_ok(), graph.status().message());
  made.graph = std::move(graph).value();
  return made;
}

}  // namespace

TEST_CASE("int8 flow: every step is kept only if the outputs come closer to float") {
  const test::TempFolder folder;
  const std::string data = data_of(folder, 80);
  for (const int octaves : {0, 8}) {
    CAPTURE(octaves);
    const Int8FlowReport plain = flow(data, octaves, false, false).report;
    CHECK_FALSE(plain.equalized.tried);
    CHECK_FALSE(plain.bias_corrected.tried);
    const Int8FlowReport full = flow(data, octaves, true, true).report;
    CHECK(full.ranges.quantized_products == 3);
    CHECK(full.judging_items == 20);
    CHECK(full.output_sqnr_db >= plain.output_sqnr_db);
    CHECK(full.equalize.pairs == 2);
    for (const GuardedStep& step : {full.equalized, full.bias_corrected})
      if (step.tried) CHECK(step.kept == (step.sqnr_after_db > step.sqnr_before_db));
  }
}

TEST_CASE("int8 flow: channels far apart are what equalization is for") {
  const test::TempFolder folder;
  const Int8FlowReport r = flow(data_of(folder, 80), 8, true, false).report;
  REQUIRE(r.equalized.tried);
  CHECK(r.equalized.kept);
  CHECK(r.equalized.sqnr_after_db > r.equalized.sqnr_before_db + 3);
  CHECK(r.output_sqnr_db == r.equalized.sqnr_after_db);
}

TEST_CASE("int8 flow: bias correction leaves the graph as it was when it is not kept") {
  const test::TempFolder folder;
  const std::string data = data_of(folder, 80);
  const Made without = flow(data, 0, false, false), with = flow(data, 0, false, true);
  const auto biases = [](const Made& m) {
    std::vector<int32_t> all;
    for (const auto& node : m.graph->main.nodes)
      if (node->is(schema::Op::FullyConnectedOptions) && node->in(2) != nullptr)
        for (const int32_t b : node->in(2)->elements<int32_t>()) all.push_back(b);
    return all;
  };
  REQUIRE(biases(without).size() == 2 * kWidth + 8);
  CHECK((biases(without) != biases(with)) == with.report.bias_corrected.kept);
  if (with.report.bias_corrected.kept) CHECK(with.report.bias_channels > 0);
}

TEST_CASE("int8 flow: the summary and the metadata hold what was decided") {
  const test::TempFolder folder;
  const Int8FlowReport r = flow(data_of(folder, 40), 4, true, true).report;
  const json full = json::parse(int8_summary(r, true));
  CHECK(full["quantized_products"] == 3);
  CHECK(full["calibration"]["items"] == 40);
  CHECK(full["judging_items"] == 10);
  REQUIRE(full["tensors"].size() > 3);
  size_t choices = 0;
  for (const json& t : full["tensors"]) choices += t["tournament"].size() > 1;
  size_t won = 0;
  for (const auto& [label, n] : full["ranges"].items()) won += n.get<size_t>();
  CHECK(won == choices);
  CHECK(full["equalization"]["kept"] == r.equalized.kept);
  const auto metadata = int8_metadata(r);
  REQUIRE(metadata.size() == 2);
  CHECK_FALSE(json::parse(metadata[0].second).contains("tensors"));
  CHECK(metadata[1].second.size() == 400);
}
