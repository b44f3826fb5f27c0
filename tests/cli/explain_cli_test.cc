// pith explain and pith diff: what they tell is what the files hold.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/support/parsed_json.h"

using namespace pith::test;
using nlohmann::json;

namespace {

const std::string kSource = "tests/data/onnx/gemm/model.onnx";

std::string converted(const TempFolder& folder, const std::string& name, std::vector<std::string> more = {}) {
  const std::string path = folder / name;
  std::vector<std::string> arguments = {"convert", kSource, "-o", path};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Ran r = run_pith(arguments);
  REQUIRE_MESSAGE(r.code == 0, r.err);
  return path;
}

// The first layer with weights.
std::string first_layer(const std::string& model) {
  const json list = parsed(run_pith({"explain", model, "--json"}));
  REQUIRE(list["layers"].size() >= 1);
  return list["layers"][0]["name"];
}

}  // namespace

TEST_CASE("explain lists the layers with their precision and bits") {
  const TempFolder folder;
  const std::string model = converted(folder, "a.pith", {"--precision", "int4"});
  const json list = parsed(run_pith({"explain", model, "--json"}));
  for (const json& layer : list["layers"]) {
    CHECK(layer["precision"] == "int4 g32");
    CHECK(layer["bits_per_weight"].get<double>() > 4);
    CHECK(layer["bytes"].get<double>() * 8 ==
          doctest::Approx(layer["bits_per_weight"].get<double>() * layer["weights"].get<double>()));
  }
  const Ran text = run_pith({"explain", model});
  CHECK(text.code == 0);
  CHECK(contains(text.out, "int4 g32"));
}

TEST_CASE("explain shows one layer: codes that add up, ranges, and the error against the source") {
  const TempFolder folder;
  const std::string model = converted(folder, "a.pith", {"--precision", "int4"});
  const std::string name = first_layer(model);
  const Ran r = run_pith({"explain", model, "--layer", name, "--source", kSource, "--json"});
  REQUIRE_MESSAGE(r.code == 0, r.err);
  const json layer = parsed(r)["layers"][0];
  CHECK(layer["name"] == name);
  CHECK(layer["tried"].is_null());
  const json& w = layer["weights"][0];
  uint64_t sum = 0;
  for (const json& bin : w["codes"]["histogram"]) sum += bin["count"].get<uint64_t>();
  CHECK(sum == w["count"].get<uint64_t>());
  CHECK(w["codes"]["high"] == 15);
  CHECK(w["scales"]["count"].get<int>() > 0);
  CHECK(w["source"]["sqnr_db"].get<double>() > 17);
  CHECK(w["source"]["sqnr_db"].get<double>() < 30);
  CHECK(w["source"]["worst_channel"]["sqnr_db"].get<double>() <= w["source"]["sqnr_db"].get<double>());
  CHECK(w["source"]["fitted"] == false);
  CHECK(w["source"]["values"]["low"].get<double>() < 0);
  // The same as text, with bars; float weights against themselves are identical.
  const Ran text = run_pith({"explain", model, "--layer", name, "--source", kSource});
  CHECK(contains(text.out, "|####"));
  CHECK(contains(text.out, "SQNR"));
  const std::string plain = converted(folder, "b.pith", {"--precision", "fp32"});
  const json same = parsed(run_pith({"explain", plain, "--layer", name, "--source", kSource, "--json"}));
  CHECK(same["layers"][0]["weights"][0]["source"]["fidelity"] == "identical");
}

TEST_CASE("explain says which layers there are when a name is wrong, and takes patterns") {
  const TempFolder folder;
  const std::string model = converted(folder, "a.pith");
  const std::string name = first_layer(model);
  const Ran wrong = run_pith({"explain", model, "--layer", "no such layer"});
  CHECK(wrong.code == 2);
  CHECK(contains(wrong.err, "no such layer"));
  CHECK(contains(wrong.err, name));
  CHECK(parsed(run_pith({"explain", model, "--layer", "*", "--json"}))["layers"].size() >= 1);
  CHECK(run_pith({"explain", model, "--source", kSource}).code == 2);
  CHECK(run_pith({"explain", folder / "absent.pith"}).code == 7);
  const Ran other =
      run_pith({"explain", model, "--layer", name, "--source", "tests/data/onnx/lstm/model.onnx"});
  CHECK(other.code == 0);
  CHECK(contains(other.out, "not compared"));
}

TEST_CASE("diff of a model with itself is empty with exit code 0") {
  const TempFolder folder;
  const std::string model = converted(folder, "a.pith", {"--precision", "int4"});
  const Ran r = run_pith({"diff", model, model, "--json"});
  CHECK(r.code == 0);
  const json j = parsed(r);
  CHECK(j["equal"] == true);
  CHECK(j["metadata"].empty());
  CHECK(j["added"].empty());
  for (const json& layer : j["layers"]) CHECK(layer["weights"][0]["same"] == true);
  CHECK(contains(run_pith({"diff", model, model}).out, "the models are equal"));
}

TEST_CASE("diff names precision, bits, sizes and the error of the weights, with exit code 8") {
  const TempFolder folder;
  const std::string a = converted(folder, "a.pith", {"--precision", "fp32"}),
                    b = converted(folder, "b.pith", {"--precision", "int4"});
  const Ran r = run_pith({"diff", a, b, "--json"});
  CHECK(r.code == 8);
  const json j = parsed(r);
  CHECK(j["equal"] == false);
  CHECK(j["same_program_and_weights"] == false);
  CHECK(j["a"]["bytes"].get<uint64_t>() == std::filesystem::file_size(a));
  CHECK(j["b"]["bytes"].get<uint64_t>() == std::filesystem::file_size(b));
  REQUIRE(j["layers"].size() >= 1);
  const json& layer = j["layers"][0];
  CHECK(layer["precision"] == json({"fp32", "int4 g32"}));
  const json& w = layer["weights"][0];
  CHECK(w["bits_per_weight"][0] == 32.0);
  CHECK(w["sqnr_db"].get<double>() > 17);
  bool told = false;
  for (const json& m : j["metadata"]) told = told || (m["key"] == "precision" && m["b"] == "int4");
  CHECK(told);
  const Ran text = run_pith({"diff", a, b});
  CHECK(text.code == 8);
  CHECK(contains(text.out, "fp32 -> int4 g32"));
  CHECK(contains(text.out, "the models differ"));
  CHECK(run_pith({"diff", a, folder / "absent.pith"}).code == 7);
}

TEST_CASE("diff of two other models names what only one of them has") {
  const Ran r = run_pith({"diff", kSource, "tests/data/onnx/lstm/model.onnx", "--json"});
  CHECK(r.code == 8);
  const json j = parsed(r);
  CHECK(j["same_interface"] == false);
  CHECK(j["removed"].size() + j["layers"].size() + j["changed"].size() > 0);
  CHECK(j["added"].size() > 0);
}
