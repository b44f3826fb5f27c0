// One graph whose layers have every precision there is: it runs, and `pith inspect --kernels` counts the conversions between them.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "converter/compress/float_form.h"
#include "converter/compress/mixed_model.h"
#include "converter/compress/units.h"
#include "converter/emit/emit.h"
#include "converter/passes/pass.h"
#include "tests/support/noise_items.h"
#include "tests/support/run_program.h"
#include "tests/support/tiny_graphs.h"

using namespace pith;
using namespace pith::compress;
using namespace pith::testing;
using nlohmann::json;

namespace {

constexpr int64_t kWidth = 64;

struct Layer {
  const char* name;
  LayerFormat format;
};
const Layer kLayers[] = {
    {"float", {}},
    {"static", {Precision::int8, 0}},
    {"half", {Precision::fp16, 0}},
    {"dynamic", {Precision::int8_dynamic, 0}},
    {"again", {Precision::int8, 0}},
    {"joined",
     {Precision::int8, 0}},  // directly behind another static one: nothing is converted between them
    {"four", {Precision::int4, 32}},
    {"table", {Precision::nf4, 64}},
    {"floats_of_4_bits", {Precision::fp4, 32}},
    {"end", {}},
};

void write_mixed(const std::string& path) {
  TinyGraph g;
  ir::Value* x = g.input("x", {4, kWidth});
  PrecisionPlan plan;
  for (const Layer& l : kLayers) {
    x = g.dense(l.name, x, kWidth, kWidth);
    if (l.format != LayerFormat{}) plan[l.name] = l.format;
  }
  g.output(x);
  REQUIRE(run_passes(g.graph, {}).is_ok());
  name_all_nodes(g.graph);
  const auto maker = MixedModel::create(std::move(g.owned), noise_items(24, 50), {});
  REQUIRE_MESSAGE(maker.is_ok(), maker.status().message());
  const auto graph = maker.value().make(plan);
  REQUIRE_MESSAGE(graph.is_ok(), graph.status().message());
  REQUIRE(emit_file(*graph.value(), {}, path).is_ok());
}

}  // namespace

TEST_CASE("layers of every precision run in one graph, and inspect counts the conversions between them") {
  const test::TempFolder folder;
  const std::string model = folder / "mixed.pith";
  write_mixed(model);
  for (const char* isa : {"scalar", ""}) {
    const test::RunLimits limits{.environment = {{"PITH_ISA", isa}}};
    const test::Ran r = test::run_program(PITH_PROGRAM, {"inspect", model, "--kernels", "--json"}, limits);
    CAPTURE(r.err);
    REQUIRE(r.code == 0);
    const json report = json::parse(r.out);
    std::map<std::string, std::string> precision;
    for (const json& node : report["nodes"])
      precision[node["name"].get<std::string>()] = node["precision"].get<std::string>();
    CHECK(precision.size() >= std::size(kLayers));
    for (const Layer& l : kLayers) CHECK_MESSAGE(precision.count(l.name) == 1, l.name);
    // One pair around "static", one around "again" and "joined"; the others convert inside, row by row.
    const json& steps = report["conversions"]["steps"];
    CHECK(steps == json{{"quantize", 2}, {"dequantize", 2}});
    CHECK(report["conversions"]["bytes"] == 2 * 4 * kWidth * (1 + 4));
  }
  const test::Ran text = test::run_program(PITH_PROGRAM, {"inspect", model, "--kernels"});
  CHECK(text.out.find("2 quantize") != std::string::npos);
  CHECK(text.out.find("2 dequantize") != std::string::npos);
  const test::Ran run =
      test::run_program(PITH_PROGRAM, {"bench", model, "--seconds", "0.01", "--min-runs", "1"});
  CAPTURE(run.err);
  CHECK(run.code == 0);
}
