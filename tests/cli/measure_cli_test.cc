// pith eval, bench, inspect and conformance: the numbers and the JSON they promise.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "converter/data/npy.h"
#include "tests/support/parsed_json.h"

using namespace pith;
using namespace pith::test;
using nlohmann::json;

namespace {

const std::string kModel = "tests/data/onnx/gemm/model.onnx";
const std::string kReference = "tests/data/onnx/gemm/ref_batch5/";

// A data set whose labels are the largest reference scores, those of `wrong` items moved to another class.
std::string labelled(const TempFolder& folder, int64_t wrong) {
  const auto inputs = data::read_npy(kReference + "input_0.npy");
  const auto scores = data::read_npy(kReference + "output_0.npy");
  REQUIRE(inputs.is_ok());
  REQUIRE(scores.is_ok());
  REQUIRE(scores.value().shape.size() == 2);
  const int64_t n = scores.value().shape[0], classes = scores.value().shape[1];
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < n; ++i) {
    const auto row =
        scores.value().as<float>().subspan(static_cast<size_t>(i * classes), static_cast<size_t>(classes));
    const int64_t best = std::max_element(row.begin(), row.end()) - row.begin();
    labels.push_back(i < wrong ? (best + 1) % classes : best);
  }
  const std::string path = folder / ("set" + std::to_string(wrong));
  std::filesystem::create_directories(path);
  REQUIRE(data::write_npy(path + "/inputs.npy", inputs.value()).is_ok());
  REQUIRE(data::write_npy(path + "/labels.npy", DType::i64, std::vector<int64_t>{n}, labels.data()).is_ok());
  return path;
}

}  // namespace

TEST_CASE("eval counts right answers and gives Wilson's interval") {
  const TempFolder folder;
  const Ran all = run_pith({"eval", kModel, "--data", labelled(folder, 0), "--json"});
  REQUIRE(all.code == 0);
  json j = parsed(all);
  CHECK(j["metric"] == "top1");
  CHECK(j["value"] == 1.0);
  CHECK(j["n"] == 5);
  CHECK(j["ci95"][0].get<double>() == doctest::Approx(0.5655).epsilon(1e-3));  // 5 of 5
  CHECK(j["ci95"][1] == 1.0);
  j = parsed(run_pith({"eval", kModel, "--data", labelled(folder, 2), "--json"}));
  CHECK(j["value"] == 0.6);
}

TEST_CASE("eval against a baseline reports the paired drop and judges it") {
  const TempFolder folder;
  const std::string set = labelled(folder, 1);
  const Ran r =
      run_pith({"eval", kModel, "--data", set, "--baseline", kModel, "--max-drop", "100", "--json"});
  CHECK(r.code == 0);
  const json j = parsed(r);
  CHECK(j["baseline"]["value"] == j["value"]);
  CHECK(j["drop"]["value"] == 0.0);
  CHECK(j["verdict"] == "passed");
  // Five items cannot prove a drop below half a point.
  const Ran strict =
      run_pith({"eval", kModel, "--data", set, "--baseline", kModel, "--max-drop", "0.5", "--json"});
  CHECK(strict.code == 5);
  CHECK(parsed(strict)["verdict"] == "undecided");
}

TEST_CASE("eval refuses data it cannot judge by") {
  const TempFolder folder;
  const std::string set = labelled(folder, 0);
  CHECK(run_pith({"eval", kModel, "--data", folder / "absent"}).code == 7);
  CHECK(run_pith({"eval", kModel, "--data", set, "--metric", "beauty"}).code == 2);
  std::filesystem::remove(set + "/labels.npy");
  const Ran r = run_pith({"eval", kModel, "--data", set});
  CHECK(r.code != 0);
  CHECK(contains(r.err, "label"));
}

TEST_CASE("bench prints the promised fields and a trace that a browser can load") {
  const TempFolder folder;
  const std::string model = folder / "gemm.pith", trace = folder / "trace.json";
  REQUIRE(run_pith({"convert", kModel, "-o", model}).code == 0);
  const Ran r = run_pith({"bench", model, "--seconds", "0.01", "--json", "--profile", trace});
  REQUIRE(r.code == 0);
  const json j = parsed(r);
  for (const char* field : {"median_ms", "p90_ms", "load_ms", "plan_ms", "create_ms", "prepare_ms"})
    CHECK(j[field].get<double>() > 0);
  for (const char* field : {"peak_rss_bytes", "anonymous_bytes", "file_bytes"})
    CHECK(j[field].get<uint64_t>() > 0);
  CHECK(j["threads"] == 1);
  CHECK(j["p90_ms"].get<double>() >= j["median_ms"].get<double>());
  CHECK(j["file_bytes"].get<uint64_t>() == slurp(model).size());
  const json t = json::parse(slurp(trace), nullptr, false);
  REQUIRE(t.is_object());
  REQUIRE(t["traceEvents"].size() > 0);
  for (const json& event : t["traceEvents"]) {
    CHECK(event["ph"] == "X");
    CHECK(event["dur"].get<double>() >= 0);
    CHECK(event["args"]["bytes"].get<uint64_t>() > 0);
  }
}

TEST_CASE("inspect shows inputs, operators, kernels and memory") {
  const json j = parsed(run_pith({"inspect", kModel, "--kernels", "--memory", "--json"}));
  CHECK(j["program"]["entry_points"][0]["inputs"].size() == 1);
  CHECK(j["bits_per_weight"].get<double>() == doctest::Approx(32));
  REQUIRE(j["nodes"].size() > 0);
  for (const json& node : j["nodes"]) {
    CHECK(contains(node["kernel"].get<std::string>(), ":"));
    CHECK(!node["op"].get<std::string>().empty());
  }
  CHECK(j["memory"]["steps"].size() == j["nodes"].size());
  const Ran text = run_pith({"inspect", kModel, "--memory"});
  CHECK(text.code == 0);
  CHECK(contains(text.out, "####"));
  const Ran reference =
      run_pith({"inspect", kModel, "--kernels", "--json"}, {.environment = {{"PITH_BACKEND", "reference"}}});
  const json plain = parsed(reference);
  for (const json& node : plain["nodes"]) CHECK(contains(node["kernel"].get<std::string>(), "reference:"));
}

TEST_CASE("inspect lists operators for a selective build") {
  const Ran r = run_pith({"inspect", "tests/data/format/v1.0/conv-bn-relu.pith", "--ops"});
  CHECK(r.code == 0);
  CHECK(r.out.rfind("# operators of conv-bn-relu.pith", 0) == 0);
  CHECK(contains(r.out, "\nConv\n"));
  CHECK(contains(r.out, "\nTranspose\n"));
  CHECK_FALSE(contains(r.out, "Options"));
  const json j = parsed(run_pith({"inspect", kModel, "--ops", "--json"}));
  CHECK(std::find(j["ops"].begin(), j["ops"].end(), "FullyConnected") != j["ops"].end());
}

TEST_CASE("inspect writes a page that needs nothing else and takes no name for markup") {
  const TempFolder folder;
  const std::string model = folder / "a<b>.pith", page = folder / "graph.html";
  std::filesystem::copy("tests/data/format/v1.0/conv-bn-relu.pith", model);
  REQUIRE(run_pith({"inspect", model, "--html", page}).code == 0);
  const std::string text = slurp(page), begin = "id=\"data\">";
  const size_t from = text.find(begin) + begin.size(), to = text.find("</script>", from);
  REQUIRE(to != std::string::npos);
  const std::string data = text.substr(from, to - from);
  CHECK_FALSE(contains(data, "<"));
  CHECK_FALSE(contains(text, "src="));
  CHECK_FALSE(contains(text, "href="));
  const json j = json::parse(data, nullptr, false);
  REQUIRE(j.is_object());
  CHECK(j["title"] == "a<b>.pith");
  REQUIRE(j["nodes"].size() > 1);
  CHECK(j["graph"]["edges"].size() == j["nodes"].size());
  for (size_t i = 1; i < j["nodes"].size(); ++i)
    CHECK(j["graph"]["edges"][i]["after"].size() > 0);  // a chain
  const uint64_t arena = j["memory"]["arena_bytes"];
  for (const json& t : j["graph"]["tensors"])
    if (t.contains("life")) CHECK(t["life"][3].get<uint64_t>() + t["bytes"].get<uint64_t>() <= arena);
}

TEST_CASE("compare finds no difference between a model and itself, and names the layer that loses most") {
  const TempFolder folder;
  const std::string set = labelled(folder, 0), half = folder / "half.pith";
  const json same = parsed(run_pith({"compare", kModel, kModel, "--data", set, "--json"}));
  CHECK(same["items"] == 5);
  CHECK(same["culprit"] == nullptr);
  REQUIRE(same["layers"].size() > 1);
  for (const json& layer : same["layers"]) CHECK(layer["local"]["fidelity"] == "identical");
  REQUIRE(run_pith({"convert", kModel, "-o", half, "--precision", "fp16"}).code == 0);
  const json j = parsed(run_pith({"compare", kModel, half, "--data", set, "--json"}));
  REQUIRE(j["culprit"].is_string());
  double lowest = 1e9;
  std::string culprit;
  for (const json& layer : j["layers"]) {
    if (layer["local"]["fidelity"] != "normal") continue;
    const double local = layer["local"]["sqnr_db"];
    CHECK(local > 60);  // half weights keep 11 bits
    if (local < lowest) culprit = layer["name"];
    lowest = std::min(lowest, local);
  }
  CHECK(j["culprit"] == culprit);
  CHECK(contains(run_pith({"compare", kModel, half, "--data", set}).out, culprit));
}

TEST_CASE("the committed models match their reference outputs, or are refused by name") {
  const Ran r = run_pith({"conformance", "tests/data/onnx", "--json"});
  const json j = parsed(r);
  for (const json& test : j["tests"]) {
    const auto name = test["name"].get<std::string>();
    CAPTURE(name);
    CAPTURE(test["reason"].get<std::string>());
    CHECK(test["status"] == (name == "refused-custom" ? "unsupported" : "passed"));
  }
  CHECK(r.code == 0);
}

TEST_CASE("conformance notices a wrong reference") {
  const TempFolder folder;
  std::filesystem::copy("tests/data/onnx/gemm", folder / "gemm", std::filesystem::copy_options::recursive);
  auto wrong = data::read_npy(kReference + "output_0.npy");
  REQUIRE(wrong.is_ok());
  wrong.value().as<float>()[0] += 1;
  REQUIRE(data::write_npy(folder / "gemm/ref_batch5/output_0.npy", wrong.value()).is_ok());
  const Ran r = run_pith({"conformance", folder.path(), "--json"});
  CHECK(r.code == 4);
  const json j = parsed(r);
  CHECK(j["failed"] == 1);
  CHECK(contains(j["tests"][0]["reason"].get<std::string>(), "[0, 0]"));
}
