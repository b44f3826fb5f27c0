// Times of a device, imported: read strictly, merged, added up, and obeyed by a whole compression.
#include "converter/compress/layer_times.h"

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "converter/compress/compress.h"
#include "tests/support/drawn_digits.h"
#include "tests/support/run_program.h"

using namespace pith;
using namespace pith::compress;

namespace {

const LayerFormat kFloat, kInt8{Precision::int8, 0}, kInt4{Precision::int4, 32};

std::string write(const test::TempFolder& folder, const std::string& name, const std::string& text) {
  std::ofstream(folder / name) << text;
  return folder / name;
}

Unit unit(std::vector<std::string> nodes) {
  Unit u;
  u.name = nodes.front();
  u.nodes = std::move(nodes);
  u.formats = {kFloat, kInt8, kInt4};
  return u;
}

std::string file_of(const test::TempFolder& folder, const std::string& name, const LayerFormat& format,
                    double whole, double a, double b) {
  return write(folder, name, layer_times_json({"board", 1, whole, {{"a", format, a}, {"b", format, b}}}));
}

}  // namespace

TEST_CASE(
    "layer times: files of one device are merged, and a mixture costs its layers and a share of the rest") {
  const test::TempFolder folder;
  const std::vector<std::string> files = {file_of(folder, "fp32", kFloat, 10, 4, 4),
                                          file_of(folder, "int8", kInt8, 4, 1, 2),
                                          file_of(folder, "again", kInt8, 5, 1.5, 1)};
  const auto times = LayerTimes::read(files);
  REQUIRE_MESSAGE(times.is_ok(), times.status().message());
  CHECK(times.value().device() == "board, 1 thread");
  const std::vector<Unit> units = {unit({"a"}), unit({"b"})};
  CHECK(times.value().check(units).is_ok());
  CHECK(times.value().unit_ms(unit({"a", "b"}), kInt8).value() == doctest::Approx(1 + 1));
  CHECK(times.value().unit_ms(units[0], {Precision::fp16, 0}).value() == doctest::Approx(4));
  CHECK_FALSE(times.value().unit_ms(units[0], kInt4).has_value());
  // The rest is 2 ms of the float model and 1 ms of the int8 one.
  CHECK(times.value().model_ms(units, {}) == doctest::Approx(10));
  CHECK(times.value().model_ms(units, {{"a", kInt8}}) == doctest::Approx(1 + 4 + 1.5));
  const Status missing = times.value().check({unit({"c"})});
  CHECK(missing.message().find("'c'") != std::string::npos);
  CHECK(missing.message().find("pith tune") != std::string::npos);
}

TEST_CASE("layer times: another device, other keys and impossible numbers are refused with the place") {
  const test::TempFolder folder;
  const std::string good = file_of(folder, "good", kFloat, 10, 4, 4);
  const std::string head = R"({"pith_layer_times": 1, "cpu": "board", "threads": 1, "ms": 1, )";
  const std::pair<std::string, const char*> bad[] = {
      {layer_times_json({"other", 1, 1, {{"a", kInt8, 1}}}), "other"},
      {head + R"("layers": []})", "layers"},
      {head + R"("layers": [{"name": "a", "format": "int9", "ms": 1}]})", "layers[0]"},
      {head + R"("layers": [{"name": "a", "format": "int8", "ms": -1}]})", "'ms'"},
      {head + R"("layers": [{"name": "a", "format": "int8", "ms": 1e999}]})", ""},
      {head + R"("layers": [{"name": "a", "format": "int8", "ms": 1, "us": 1}]})", "us"},
      {R"({"pith_layer_times": 2})", "pith_layer_times"},
      {"[", ""}};
  for (const auto& [text, says] : bad) {
    CAPTURE(text);
    const auto times = LayerTimes::read({good, write(folder, "bad", text)});
    REQUIRE_FALSE(times.is_ok());
    CAPTURE(times.status().message());
    CHECK(times.status().message().find(says) != std::string::npos);
    CHECK(times.status().message().find("bad") != std::string::npos);
  }
}

TEST_CASE("layer times: a compression follows the device's times, and the certificate names the device") {
  const test::TempFolder folder;
  CompressOptions options;
  options.source = test::digits_model();
  options.output = folder / "out.pith";
  options.calibration = test::drawn_digits(folder, "calibration", 64, 4);
  options.evaluation = test::drawn_digits(folder, "evaluation", 1200, 3);
  options.budgets.max_drop = 0.02;
  options.sensitivity_items = 16;
  options.formats = {kInt8, {Precision::fp16, 0}};
  CompressReport names;
  REQUIRE(compress::compress(options, &names).is_ok());
  // On this device int8 is a hundred times slower than float.
  MeasuredModel fp32{"board", 2, 100, {}}, int8{"board", 2, 5000, {}};
  for (const LayerResult& layer : names.layers)
    for (const std::string& node : layer.unit.nodes) {
      fp32.layers.push_back({node, kFloat, 1});
      int8.layers.push_back({node, kInt8, 100});
    }
  options.layer_times = {write(folder, "fp32.json", layer_times_json(fp32)),
                         write(folder, "int8.json", layer_times_json(int8))};
  CompressReport report;
  const Status done = compress::compress(options, &report);
  REQUIRE_MESSAGE(done.is_ok(), done.message());
  for (const LayerResult& layer : report.layers) CHECK(layer.chosen.precision == Precision::fp16);
  REQUIRE(report.certificate);
  CHECK(report.certificate->times_of == "board, 2 threads");
  CHECK(report.certificate->ms == doctest::Approx(100));
  CHECK(certificate_json(*report.certificate).find("board, 2 threads") != std::string::npos);
}

TEST_CASE("tune --layer-times writes what compress --layer-times takes") {
  const test::TempFolder folder;
  const auto data = [&](const std::string& name, uint64_t n, uint64_t seed) {
    return test::drawn_digits(folder, name, n, seed);
  };
  const std::string calibration = data("calibration", 64, 4), evaluation = data("evaluation", 1200, 3);
  std::vector<std::string> arguments = {
      "compress", test::digits_model(), "-o", folder / "out.pith",   "--calibrate", calibration, "--eval",
      evaluation, "--max-drop",         "2%", "--sensitivity-items", "16",          "--allow",   "slower",
      "--json"};
  for (const std::string precision : {"fp32", "int8", "int4"}) {
    const std::string model = folder / (precision + ".pith"), times = folder / (precision + ".json");
    std::vector<std::string> convert = {"convert", test::digits_model(), "-o",
                                        model,     "--precision",        precision};
    if (precision == "int8") convert.insert(convert.end(), {"--calibrate", calibration});
    CHECK(test::run_pith(convert).code == 0);
    const test::Ran tuned = test::run_pith(
        {"tune", model, "--seconds", "0.05", "--out", folder / "t.tune", "--layer-times", times});
    CAPTURE(tuned.err);
    CHECK(tuned.code == 0);
    arguments.insert(arguments.end(), {"--layer-times", times});
  }
  const test::Ran r = test::run_pith(arguments);
  CAPTURE(r.err);
  REQUIRE(r.code == 0);
  const auto report = nlohmann::json::parse(r.out);
  CHECK(test::contains(report["certificate"]["times_of"].get<std::string>(), "1 thread"));
  for (const nlohmann::json& layer : report["layers"])
    for (const nlohmann::json& format : layer["formats"])
      if (!format.contains("failure")) CHECK(format["ms"].get<double>() > 0);
}
