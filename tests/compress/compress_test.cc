// Whole compressions of the shipped classifier on drawn digits: what is chosen holds its promise, what cannot is refused.
#include "converter/compress/compress.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "converter/compile/load_model.h"
#include "converter/compress/evidence.h"
#include "converter/compress/report_json.h"
#include "tests/support/drawn_digits.h"

using namespace pith;
using namespace pith::compress;
using nlohmann::json;

namespace {

struct Setup {
  test::TempFolder folder;
  CompressOptions options;
  CompressReport report;

  explicit Setup(uint64_t evaluation_items = 1200) {
    options.source = test::digits_model();
    options.output = folder / "out.pith";
    options.calibration = test::drawn_digits(folder, "calibration", 64, 4);
    options.evaluation = test::drawn_digits(folder, "evaluation", evaluation_items, 3);
    options.budgets.max_drop = 0.02;
    options.sensitivity_items = 16;
  }
  void run() {
    const Status done = compress::compress(options, &report);
    REQUIRE_MESSAGE(done.is_ok(), done.message());
  }
  bool wrote() const { return std::filesystem::exists(options.output); }
  bool refused(Refusal kind) const {
    for (const Finding& f : report.refusals)
      if (f.kind == kind) return true;
    return false;
  }
};

std::string metadata(const std::string& path, const std::string& key) {
  const auto model = load_model(path);
  REQUIRE_MESSAGE(model.is_ok(), model.status().message());
  for (const schema::KeyValue* pair : *model.value().model->program().metadata())
    if (pair->key()->str() == key) return pair->value()->str();
  return "";
}

}  // namespace

TEST_CASE("compress: a drop budget gives a file a third as large, certified on items the search never saw") {
  Setup s;
  s.options.formats = {{Precision::int8, 0}, {Precision::int4, 32}, {Precision::int4, 128}};
  s.options.allowed = {Refusal::slower};  // times are of a build that may be instrumented
  s.run();
  REQUIRE(s.report.refusals.empty());
  REQUIRE(s.wrote());
  CHECK(s.report.file_bytes == std::filesystem::file_size(s.options.output));
  CHECK(s.report.file_bytes < s.report.source_bytes * 35 / 100);
  CHECK(s.report.search_items + s.report.proof_items == 1200);
  const Certificate& c = *s.report.certificate;
  CHECK(c.model.n == s.report.proof_items);
  CHECK(c.drop.verdict == eval::DropVerdict::within);
  CHECK(c.drop.interval.low <= c.drop.drop);
  CHECK(c.model.value() > 0.9);
  // The file carries the certificate and the plan.
  const json stored = json::parse(metadata(s.options.output, kCertificateKey));
  CHECK(stored["verdict"] == "within");
  CHECK(stored["n"] == s.report.proof_items);
  CHECK(json::parse(metadata(s.options.output, kPlanKey)).size() == s.report.layers.size());
  // And what decided every layer.
  const json evidence = json::parse(metadata(s.options.output, kEvidenceKey));
  for (const LayerResult& layer : s.report.layers) {
    const json& one = evidence[layer.unit.nodes.front()];
    CHECK(one["alone"].size() >= 1);  // int8 alone for a depthwise convolution, more for others
    CHECK(one["alone"].contains(name_of(layer.chosen)));
    if (layer.chosen.precision == Precision::int4) CHECK(one["codes"].size() >= 5);
    if (layer.chosen.precision == Precision::int8) CHECK(one["ranges"].size() >= 1);
  }
  // Every candidate that no other beats is marked, the chosen one is not full precision.
  size_t pareto = 0;
  for (const Candidate& candidate : s.report.candidates) pareto += candidate.pareto;
  CHECK(pareto >= 1);
  CHECK_FALSE(s.report.candidates[s.report.chosen].plan.empty());
  // What became of every layer is known.
  uint64_t before = 0, after = 0;
  for (const LayerResult& layer : s.report.layers) {
    before += layer.outcome.float_bytes;
    after += layer.outcome.bytes;
    CHECK(layer.outcome.float_ms > 0);
    CHECK(layer.outcome.ms > 0);
    REQUIRE(layer.outcome.local);
    REQUIRE(layer.outcome.cumulative);
    CHECK(layer.outcome.cumulative->sqnr_db() > 10);
  }
  CHECK(after * 3 < before);
  REQUIRE(s.report.classes.size() == 10);
  CHECK(s.report.classes.front().label == c.worst_class);
  int64_t hits = 0;
  for (const ClassResult& one : s.report.classes) hits += one.after.hits;
  CHECK(hits == c.model.hits);
  const json report = json::parse(report_json(s.report));
  CHECK(report["certificate"] == stored);
  CHECK(report["layers"].size() == s.report.layers.size());
}

TEST_CASE("compress: the same inputs give the same file, whatever the threads") {
  std::string first;
  for (const size_t threads : {1, 2, 1}) {
    Setup s(600);
    s.options.threads = threads;
    s.options.uniform = LayerFormat{Precision::int4, 32};
    s.options.budgets.max_drop.reset();
    s.options.allowed = {Refusal::slower};
    s.run();
    REQUIRE(s.wrote());
    const auto loaded = load_model(s.options.output);
    REQUIRE(loaded.is_ok());
    // The certificate holds measured times; the program and the weights must not differ.
    std::string weights;
    for (const file::SegmentEntry& segment : loaded.value().model->segments())
      weights += std::to_string(segment.content_hash) + ",";
    weights += metadata(s.options.output, kPlanKey);
    if (first.empty()) first = weights;
    CHECK(weights == first);
  }
}

TEST_CASE("compress: a size budget is met with the least damage, or refused by figures") {
  Setup s;
  s.options.budgets = {};
  s.options.budgets.max_size_share = 0.24;
  s.options.allowed = {Refusal::slower};
  s.run();
  REQUIRE(s.report.refusals.empty());
  CHECK(s.report.file_bytes <= s.report.source_bytes * 24 / 100);
  CHECK(s.report.certificate->model.value() > 0.9);

  Setup impossible;
  impossible.options.budgets = {};
  impossible.options.budgets.max_bytes = 1000;
  impossible.run();
  CHECK(impossible.refused(Refusal::size));
  CHECK_FALSE(impossible.wrote());
  impossible.options.allowed = {Refusal::size, Refusal::slower};
  impossible.run();
  CHECK(impossible.wrote());
  CHECK(json::parse(metadata(impossible.options.output, kCertificateKey))["overridden"][0] == "size");
}

TEST_CASE("compress: evaluation data that cannot certify the limit end the run before any long work") {
  Setup s(20);
  s.run();
  CHECK(s.refused(Refusal::undecided));
  CHECK_FALSE(s.wrote());
  CHECK(s.report.candidates.empty());
  CHECK(s.report.refusals[0].message.find("items are needed") != std::string::npos);

  Setup none;
  none.options.evaluation.clear();
  none.run();
  CHECK(none.refused(Refusal::unevaluated));
  CHECK_FALSE(none.wrote());
}

TEST_CASE("compress: calibration inside the evaluation data is refused") {
  Setup s;
  s.options.calibration = test::drawn_digits(s.folder, "leak", 64, 3);
  const Status done = compress::compress(s.options, &s.report);
  CHECK(done.code() == Code::bad_argument);
  CHECK(s.report.stage == CompressReport::Stage::data);
  CHECK(done.message().find("leak") != std::string::npos);
  CHECK_FALSE(s.wrote());
}

TEST_CASE("compress: layers can be fixed by a pattern, and a pattern without a layer is an error") {
  Setup s;
  s.options.forced = {{"*", {Precision::fp16, 0}}};
  s.options.allowed = {Refusal::slower};
  s.run();
  REQUIRE(s.wrote());
  for (const LayerResult& layer : s.report.layers) CHECK(layer.chosen == LayerFormat{Precision::fp16, 0});
  s.options.forced = {{"no such layer", {Precision::fp16, 0}}};
  CHECK(compress::compress(s.options, &s.report).message().find("no such layer") != std::string::npos);
}

TEST_CASE("compress: full precision is not shipped as a compressed model") {
  Setup s;
  s.options.uniform = LayerFormat{};
  s.run();
  CHECK(s.refused(Refusal::full_precision));
  CHECK_FALSE(s.wrote());
}

TEST_CASE("compress: bad ways to quantize are refused by what they cost, not by their names") {
  Setup s;
  s.options.uniform = LayerFormat{Precision::int8, 0};
  s.options.allowed = {Refusal::slower};
  s.run();
  CHECK(s.report.refusals.empty());  // the usual way passes

  Setup half;  // clips half of all activations
  half.options.uniform = s.options.uniform;
  half.options.allowed = s.options.allowed;
  half.options.int8_ranges = quantize::RangeMethod::percentile;
  half.options.percentile = 50;
  half.run();
  CHECK(half.refused(Refusal::accuracy));
  CHECK_FALSE(half.wrote());
}

TEST_CASE("compress: a user's own metric decides, and the certificate says that it has no interval") {
  Setup s(200);
  s.options.metric_command = "ls -1 | wc -l; find";  // the folder follows: prints paths, no number
  const Status bad = compress::compress(s.options, &s.report);
  CHECK(bad.message().find("must be a number") != std::string::npos);
  // The number of items that have an output: the same for every model.
  s.options.metric_command = "count() { find \"$1\" -name output0.npy | wc -l; }; count";
  s.run();
  REQUIRE(s.report.refusals.empty());
  CHECK(s.report.certificate->value == static_cast<double>(s.report.proof_items));
  const json stored = json::parse(metadata(s.options.output, kCertificateKey));
  CHECK(stored["verdict"] == "within, not certified");
  CHECK(stored["ci95"].is_null());
  s.options.metric_command = "false";
  CHECK(compress::compress(s.options, &s.report).message().find("exit code 1") != std::string::npos);
}
