// What is broken on purpose is refused: each finding with its message and exit code, and an override that the file tells of.
#include <doctest/doctest.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "converter/data/npy.h"
#include "tests/support/drawn_digits.h"
#include "tests/support/run_program.h"

using namespace pith;
using namespace pith::test;
using nlohmann::json;

namespace {

struct Bench {
  TempFolder folder;
  std::string calibration = drawn_digits(folder, "calibration", 64, 4);
  std::string evaluation = drawn_digits(folder, "evaluation", 1200, 3);
  std::string output = folder / "out.pith";
  std::string model = digits_model();

  std::vector<std::string> arguments(std::vector<std::string> more) const {
    std::vector<std::string> all = {"compress", model,         "-o",
                                    output,     "--calibrate", calibration,
                                    "--eval",   evaluation,    "--sensitivity-items",
                                    "16"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  // Refused with this code and word, nothing is written; with `override` it is, and the certificate says so.
  void check(int code, const std::string& says, std::vector<std::string> more,
             std::vector<std::string> override_with, const std::string& told) const {
    CAPTURE(says);
    const Ran refused = run_pith(arguments(more));
    CAPTURE(refused.err);
    CHECK(refused.code == code);
    CHECK(contains(refused.err, says));
    CHECK_FALSE(std::filesystem::exists(output));
    more.insert(more.end(), override_with.begin(), override_with.end());
    const Ran allowed = run_pith(arguments(more));
    CAPTURE(allowed.err);
    CHECK(allowed.code == 0);
    REQUIRE(std::filesystem::exists(output));
    const json shown = json::parse(run_pith({"inspect", output, "--json"}).out)["program"]["certificate"];
    REQUIRE(shown.contains("overridden"));
    CHECK(std::count(shown["overridden"].begin(), shown["overridden"].end(), json(told)) == 1);
    CHECK(contains(run_pith({"inspect", output}).out, told));
    std::filesystem::remove(output);
  }
};

const std::vector<std::string> kInt8 = {"--precision", "int8", "--allow", "slower"};

std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

void write_images(const std::string& folder, int64_t items, const std::vector<float>& values) {
  std::filesystem::create_directories(folder);
  REQUIRE(data::write_npy(folder + "/inputs.npy", DType::f32, std::vector<int64_t>{items, 1, 28, 28},
                          values.data())
              .is_ok());
}

onnx::ModelProto read_digits_model() {
  onnx::ModelProto model;
  std::ifstream in(digits_model(), std::ios::binary);
  REQUIRE(model.ParseFromIstream(&in));
  return model;
}

// Multiplies element i of an initializer by factor(i); returns how many there were.
template <class F>
size_t scale_initializer(onnx::ModelProto* model, const std::string& name, F&& factor) {
  for (onnx::TensorProto& tensor : *model->mutable_graph()->mutable_initializer()) {
    if (tensor.name() != name) continue;
    std::vector<float> values(tensor.raw_data().size() / sizeof(float));
    std::memcpy(values.data(), tensor.raw_data().data(), tensor.raw_data().size());
    for (size_t i = 0; i < values.size(); ++i) values[i] *= factor(i);
    std::memcpy(tensor.mutable_raw_data()->data(), values.data(), tensor.raw_data().size());
    return values.size();
  }
  return 0;
}

// The shipped classifier, whose depthwise layers get channels from 1/64 to 64 times as large; the layers behind them take it
// back, so that the function is the same.
void write_unbalanced(const std::string& path) {
  onnx::ModelProto model = read_digits_model();
  const auto size_of = [](size_t channel) {
    return std::ldexp(1.0f, 2 * (static_cast<int>(channel % 7) - 3));
  };
  const std::pair<const char*, const char*> pairs[] = {
      {"2.body.0.1", "2.body.1.0"}, {"5.1", "6.0"}, {"7.body.0.1", "7.body.1.0"}};
  for (const auto& [norm, behind] : pairs) {
    const size_t channels = scale_initializer(&model, std::string(norm) + ".weight", size_of);
    REQUIRE(channels > 0);
    REQUIRE(scale_initializer(&model, std::string(norm) + ".bias", size_of) == channels);
    const auto back = [&](size_t i) { return 1 / size_of(i % channels); };  // [outputs, channels, 1, 1]
    REQUIRE(scale_initializer(&model, std::string(behind) + ".weight", back) > channels);
  }
  std::ofstream(path, std::ios::binary) << model.SerializeAsString();
}

// The shipped classifier with one weight replaced; returns the tensor's name.
std::string write_spoiled(const std::string& path, float weight) {
  onnx::ModelProto model = read_digits_model();
  for (onnx::TensorProto& tensor : *model.mutable_graph()->mutable_initializer()) {
    if (tensor.dims_size() < 2 || !tensor.has_raw_data()) continue;
    std::memcpy(tensor.mutable_raw_data()->data() + 4 * sizeof weight, &weight, sizeof weight);
    std::ofstream(path, std::ios::binary) << model.SerializeAsString();
    return tensor.name();
  }
  return "";
}

}  // namespace

TEST_CASE("refusals: ranges that clip half of all values lose too much, exit code 4") {
  const Bench b;
  b.check(4, "refused (accuracy)", kInt8 + std::vector<std::string>{"--int8-ranges", "percentile:50"},
          {"--allow", "accuracy"}, "accuracy");
}

TEST_CASE(
    "refusals: one scale for a depthwise layer loses its small channels, exit code 4; equalized first it "
    "does not") {
  Bench b;
  b.model = b.folder / "unbalanced.onnx";
  write_unbalanced(b.model);
  b.check(4, "refused (accuracy)",
          kInt8 + std::vector<std::string>{"--int8-weights", "per-tensor", "--rewrite", "as-it-came",
                                           "--rounding", "nearest"},
          {"--allow", "accuracy"}, "accuracy");
  const Ran usual = run_pith(b.arguments(kInt8 + std::vector<std::string>{"--max-drop", "2%"}));
  CHECK_MESSAGE(usual.code == 0, usual.err);
}

TEST_CASE("refusals: a precision forced on the layer that breaks the limit is named, exit code 4") {
  const Bench b;
  b.check(4, "refused (sensitive)",
          {"--layer", "*=int8", "--int8-ranges", "percentile:50", "--allow", "slower"},
          {"--allow", "sensitive"}, "sensitive");
}

TEST_CASE("refusals: full precision is no compression, exit code 4") {
  const Bench b;
  b.check(4, "refused (full-precision)", {"--precision", "fp32", "--allow", "slower"},
          {"--allow", "full-precision"}, "full-precision");
}

TEST_CASE("refusals: twenty evaluation items certify nothing, exit code 5 with the number that would") {
  Bench b;
  b.evaluation = drawn_digits(b.folder, "few", 20, 3);
  b.check(5, "items are needed", kInt8, {"--allow", "undecided"}, "undecided");
}

TEST_CASE("refusals: constant calibration images, exit code 5") {
  Bench b;
  b.calibration = b.folder / "grey";
  std::vector<float> grey;
  for (int i = 0; i < 32; ++i) grey.insert(grey.end(), 28 * 28, static_cast<float>(i) / 32);
  write_images(b.calibration, 32, grey);
  b.check(5, "hold one and the same number", kInt8,
          {"--accept-calibration", "constant", "--accept-calibration", "coverage", "--accept-calibration",
           "mismatch", "--allow", "accuracy", "--allow", "undecided"},
          "calibration-constant");
}

TEST_CASE("refusals: calibration inside the evaluation set, exit code 5") {
  Bench b;
  b.calibration = drawn_digits(b.folder, "leak", 64, 3);
  b.check(5, "are among the calibration items", kInt8, {"--accept-calibration", "leak"}, "calibration-leak");
}

TEST_CASE("refusals: calibration that was preprocessed otherwise, exit code 5") {
  Bench b;
  const auto usual = data::read_npy(b.calibration + "/inputs.npy");
  REQUIRE(usual.is_ok());
  std::vector<float> raw;
  for (const float v : usual.value().as<float>()) raw.push_back(255 * v);
  b.calibration = b.folder / "raw";
  write_images(b.calibration, 64, raw);
  b.check(5, "not preprocessed alike", kInt8,
          {"--accept-calibration", "mismatch", "--allow", "accuracy", "--allow", "undecided"},
          "calibration-mismatch");
}

TEST_CASE("refusals: sizes and times that are not met, exit code 6") {
  const Bench b;
  b.check(6, "refused (size)", {"--max-size", "1000B", "--allow", "slower"}, {"--allow", "size"}, "size");
  b.check(6, "refused (latency)", {"--max-latency", "0.000001ms", "--precision", "int8", "--allow", "slower"},
          {"--allow", "latency"}, "latency");
}

TEST_CASE("refusals: without evaluation nothing is shipped, exit code 5") {
  const Bench b;
  const Ran r = run_pith(
      {"compress", digits_model(), "-o", b.output, "--calibrate", b.calibration, "--precision", "int8"});
  CHECK(r.code == 5);
  CHECK(contains(r.err, "refused (unevaluated)"));
  const Ran allowed =
      run_pith({"compress", digits_model(), "-o", b.output, "--calibrate", b.calibration, "--precision",
                "int8", "--allow", "unevaluated", "--allow", "slower", "--json"});
  CHECK_MESSAGE(allowed.code == 0, allowed.err);
  const json chosen = json::parse(allowed.out)["chosen"];
  CHECK(chosen["bits_per_weight"].get<double>() == doctest::Approx(8).epsilon(0.05));
  CHECK(chosen["bytes"].get<size_t>() > 10000);
}

TEST_CASE("bad data stop the run at once, with exit code 5 and the place") {
  Bench b;
  const auto usual = data::read_npy(b.evaluation + "/inputs.npy");
  REQUIRE(usual.is_ok());
  std::vector<float> values(usual.value().as<float>().begin(), usual.value().as<float>().end());
  std::vector<int64_t> labels(1200, 3);
  const auto says = [&](const char* what) {
    const Ran r = run_pith(b.arguments(kInt8));
    CAPTURE(r.err);
    CHECK(r.code == 5);
    CHECK(contains(r.err, what));
  };
  b.evaluation = b.folder / "broken";
  const auto write_labels = [&](int64_t n) {
    REQUIRE(data::write_npy(b.evaluation + "/labels.npy", DType::i64, std::vector<int64_t>{n}, labels.data())
                .is_ok());
  };
  write_images(b.evaluation, 1200, values);
  says("has no labels");
  write_labels(1000);
  says("labels");
  labels[7] = 10;
  write_labels(1200);
  says("item 7 has label 10, the model gives 10 scores");
  labels[7] = 3;
  write_labels(1200);
  values[5 * 784 + 9] = NAN;
  write_images(b.evaluation, 1200, values);
  says("item 5: input");
  REQUIRE(data::write_npy(b.evaluation + "/inputs.npy", DType::f32, std::vector<int64_t>{1200, 1, 14, 56},
                          usual.value().as<float>().data())
              .is_ok());
  says("evaluation data: ");
}

TEST_CASE("a model with weights that are no numbers is refused, with the tensor's name") {
  Bench b;
  for (const float weight : {static_cast<float>(NAN), static_cast<float>(INFINITY)}) {
    const std::string model = b.folder / "spoiled.onnx";
    const std::string tensor = write_spoiled(model, weight);
    REQUIRE(tensor != "");
    b.model = model;
    const Ran r = run_pith(b.arguments({"--max-drop", "2%"}));
    CAPTURE(r.err);
    CHECK(r.code == 3);
    CHECK(contains(r.err, tensor));
    CHECK(contains(r.err, "at element 4"));
    CHECK_FALSE(std::filesystem::exists(b.output));
  }
}
