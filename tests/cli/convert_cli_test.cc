// pith convert and pith run from file to file: results, refusals, and what is left on disk after a failure.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "converter/data/npy.h"
#include "tests/support/distributions.h"
#include "tests/support/run_program.h"
#include "tests/support/shared_data.h"

using namespace pith;
using namespace pith::test;

namespace {

const std::string kModels = "tests/data/onnx/";

// Converts one of the small models into `folder`; its path.
std::string converted(const TempFolder& folder, const std::string& name) {
  const std::string path = folder / (name + ".pith");
  const Ran r = run_pith({"convert", kModels + name + "/model.onnx", "-o", path, "--precision", "fp32"});
  CAPTURE(r.err);
  REQUIRE(r.code == 0);
  return path;
}

// A data set for the gemm model, with made-up labels.
std::string noise(const TempFolder& folder, const std::string& name, int64_t items, uint64_t seed) {
  const auto shape = data::read_npy(kModels + "gemm/ref/input_0.npy").value().shape;
  const int64_t width = shape.back();
  const std::string path = folder / name;
  std::filesystem::create_directories(path);
  const auto x = testing::normals(static_cast<size_t>(items * width), 0, 1, seed);
  REQUIRE(data::write_npy(path + "/inputs.npy", DType::f32, std::vector<int64_t>{items, width}, x.data())
              .is_ok());
  const std::vector<int64_t> labels(static_cast<size_t>(items));
  REQUIRE(
      data::write_npy(path + "/labels.npy", DType::i64, std::vector<int64_t>{items}, labels.data()).is_ok());
  return path;
}

double bits_per_weight(const std::string& model) {
  const Ran r = run_pith({"inspect", model, "--json"});
  const size_t at = r.out.find("\"bits_per_weight\": ");
  REQUIRE(at != std::string::npos);
  return std::stod(r.out.substr(at + 19));
}

}  // namespace

TEST_CASE("a converted model reproduces its reference output through files") {
  const TempFolder folder;
  const std::string model = converted(folder, "gemm");
  const std::string out = folder / "out";
  const Ran r =
      run_pith({"run", model, "--input", kModels + "gemm/ref_batch5/input_0.npy", "--output-dir", out});
  CAPTURE(r.err);
  REQUIRE(r.code == 0);
  const auto expected = data::read_npy(kModels + "gemm/ref_batch5/output_0.npy");
  REQUIRE(expected.is_ok());
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(out)) {
    ++files;
    const auto actual = data::read_npy(entry.path().string());
    REQUIRE(actual.is_ok());
    REQUIRE(actual.value().shape == expected.value().shape);
    const auto a = actual.value().as<float>(), e = expected.value().as<float>();
    for (size_t i = 0; i < e.size(); ++i) CHECK(a[i] == doctest::Approx(e[i]).epsilon(1e-4));
  }
  CHECK(files == 1);
}

TEST_CASE("the same source and options give the same bytes") {
  const TempFolder folder;
  const std::string first = slurp(converted(folder, "gemm"));
  CHECK(first.size() > 256);
  CHECK(slurp(converted(folder, "gemm")) == first);
}

TEST_CASE("half precision weights make the file smaller") {
  const TempFolder folder;
  const std::string half = folder / "half.pith";
  const Ran r = run_pith(
      {"convert", kModels + "external-data/model.onnx", "-o", half, "--precision", "fp16", "--json"});
  CAPTURE(r.err);
  REQUIRE(r.code == 0);
  CHECK(contains(r.out, "\"precision\": \"fp16\""));
  CHECK(bits_per_weight(converted(folder, "external-data")) == doctest::Approx(32));
  CHECK(bits_per_weight(half) < 17.5);
}

TEST_CASE("bfloat16 weights make the file as small, and the model answers as the float one does") {
  const TempFolder folder;
  const std::string source = kModels + "gemm/model.onnx", brain = folder / "brain.pith";
  const Ran r = run_pith({"convert", source, "-o", brain, "--precision", "bf16", "--json"});
  CAPTURE(r.err);
  REQUIRE(r.code == 0);
  CHECK(bits_per_weight(brain) < 17.5);
  const std::string input = kModels + "gemm/ref_batch5/input_0.npy";
  for (const char* backend : {"reference", "auto"}) {
    CAPTURE(backend);
    const Ran judged = run_pith({"compare", source, brain, "--data", input, "--json"},
                                {.environment = {{"PITH_BACKEND", backend}}});
    CAPTURE(judged.err);
    REQUIRE(judged.code == 0);
    const auto found = nlohmann::json::parse(judged.out);
    const auto& output = found["outputs"][0];
    // 8 significant bits: errors of 2^-9 relative at most, about 2^-9 / sqrt(3) in the mean: 59 dB less what sums do.
    CHECK((output["fidelity"] == "identical" || output["sqnr_db"].get<double>() > 40));
  }
}

TEST_CASE("dynamic int8 stores matrix weights in a byte each and stays close to the reference") {
  const TempFolder folder;
  const std::string model = folder / "dynamic.pith";
  const Ran r =
      run_pith({"convert", kModels + "external-data/model.onnx", "-o", model, "--precision", "int8-dynamic"});
  CAPTURE(r.err);
  REQUIRE(r.code == 0);
  CHECK(contains(r.out, "2 of 2 products run on int8"));
  CHECK(bits_per_weight(model) <
        13);  // 8, and 96 bits of sum, scale and bias for every output of few weights
  REQUIRE(run_pith({"run", model, "--input", kModels + "external-data/ref/input_0.npy", "--output-dir",
                    folder / "out"})
              .code == 0);
  const auto expected = data::read_npy(kModels + "external-data/ref/output_0.npy");
  REQUIRE(expected.is_ok());
  for (const auto& entry : std::filesystem::directory_iterator(folder / "out")) {
    const auto actual = data::read_npy(entry.path().string());
    REQUIRE(actual.is_ok());
    double dot = 0, aa = 0, ee = 0;
    const auto a = actual.value().as<float>(), e = expected.value().as<float>();
    REQUIRE(a.size() == e.size());
    for (size_t i = 0; i < e.size(); ++i) {
      dot += static_cast<double>(a[i]) * e[i];
      aa += static_cast<double>(a[i]) * a[i];
      ee += static_cast<double>(e[i]) * e[i];
    }
    CHECK(dot / std::sqrt(aa * ee) > 0.999);
  }
}

TEST_CASE("int8 needs data that it can calibrate with: exit code 5 otherwise") {
  const TempFolder folder;
  std::vector<float> x(4 * 24, NAN);
  const std::vector<int64_t> shape = {4, 24};
  REQUIRE(data::write_npy(folder / "inputs.npy", DType::f32, shape, x.data()).is_ok());
  const std::string out = folder / "x.pith";
  const Ran nan = run_pith({"convert", kModels + "gemm/model.onnx", "-o", out, "--precision", "int8",
                            "--calibrate", folder / "inputs.npy"});
  CAPTURE(nan.err);
  CHECK(nan.code == 5);
  std::fill(x.begin(), x.end(), 0.5f);
  const std::vector<int64_t> wrong = {24, 4};
  REQUIRE(data::write_npy(folder / "inputs.npy", DType::f32, wrong, x.data()).is_ok());
  CHECK(run_pith({"convert", kModels + "gemm/model.onnx", "-o", out, "--precision", "int8", "--calibrate",
                  folder / "inputs.npy"})
            .code == 5);
  CHECK(run_pith({"convert", kModels + "gemm/model.onnx", "-o", out, "--precision", "int8", "--calibrate",
                  folder / "absent"})
            .code == 7);
  CHECK(folder.file_count() == 1);
}

TEST_CASE("calibration data that cannot serve are refused with exit code 5 unless accepted") {
  const TempFolder folder;
  const std::string few = noise(folder, "few", 4, 1), out = folder / "x.pith";
  std::vector<std::string> command = {
      "convert", kModels + "gemm/model.onnx", "-o", out, "--precision", "int8", "--calibrate", few};
  const Ran refused = run_pith(command);
  CHECK(refused.code == 5);
  CHECK(contains(refused.err, "--accept-calibration small"));
  CHECK_FALSE(std::filesystem::exists(out));
  command.insert(command.end(), {"--accept-calibration", "small"});
  const Ran accepted = run_pith(command);
  CHECK(accepted.code == 0);
  CHECK(contains(accepted.err, "accepted"));
  CHECK(contains(accepted.out, "items that made no range"));
  command[7] = noise(folder, "three", 3, 1);  // too few to keep some back
  const Ran three = run_pith(command);
  CHECK(three.code == 0);
  CHECK(contains(three.out, "items that made the ranges too"));
  command.back() = "beauty";
  CHECK(run_pith(command).code == 2);
  CHECK(run_pith({"convert", kModels + "gemm/model.onnx", "-o", out, "--eval", few}).code == 2);
}

TEST_CASE("int8 tells what it decided, and eval knows calibration items again") {
  const TempFolder folder;
  const std::string calibration = noise(folder, "a", 16, 1), other = noise(folder, "b", 16, 2);
  const std::string out = folder / "x.pith";
  std::vector<std::string> command = {"convert",     kModels + "gemm/model.onnx",
                                      "-o",          out,
                                      "--precision", "int8",
                                      "--json",      "--calibrate",
                                      calibration,   "--eval",
                                      calibration};
  const Ran leaking = run_pith(command);
  CHECK(leaking.code == 5);
  CHECK(contains(leaking.err, "16 of 16"));
  command.back() = other;
  const Ran made = run_pith(command);
  CAPTURE(made.err);
  REQUIRE(made.code == 0);
  for (const char* part : {"\"output_sqnr_db\"", "\"bias_correction\"", "\"equalization\"", "\"tournament\""})
    CHECK(contains(made.out, part));
  const Ran json = run_pith({"inspect", out, "--json"}), text = run_pith({"inspect", out});
  CHECK(contains(json.out, "\"judging_items\": 4"));
  CHECK(contains(text.out, "calibrated on 16 items"));
  CHECK_FALSE(contains(text.out, "calibration_hashes"));

  const Ran refused = run_pith({"eval", out, "--data", calibration});
  CHECK(refused.code == 5);
  CHECK(contains(refused.err, "16 of these items"));
  CHECK(refused.out.empty());
  const Ran accepted = run_pith({"eval", out, "--data", calibration, "--accept-leak", "--json"});
  CHECK(accepted.code == 0);
  CHECK(contains(accepted.out, "\"calibration_items_among_them\": 16"));
  const Ran fair = run_pith({"eval", out, "--data", other, "--json"});
  CHECK(fair.code == 0);
  CHECK(contains(fair.out, "\"calibration_items_among_them\": 0"));
}

TEST_CASE("all unknown operators are named at once, with exit code 3 and no file") {
  const TempFolder folder;
  const std::string out = folder / "x.pith";
  const Ran r = run_pith({"convert", kModels + "refused-custom/model.onnx", "-o", out});
  CHECK(r.code == 3);
  for (const char* name : {"Mystery", "NoSuchOperator", "Riddle"}) CHECK(contains(r.err, name));
  CHECK(folder.file_count() == 0);
}

TEST_CASE("a source that cannot be read exits with 7 and names it") {
  const TempFolder folder;
  const Ran r = run_pith({"convert", folder / "absent.onnx", "-o", folder / "x.pith"});
  CHECK(r.code == 7);
  CHECK(contains(r.err, "absent.onnx"));
  CHECK(folder.file_count() == 0);
}

TEST_CASE("a full disk exits with 7 and leaves neither a part of the file nor touches the old one") {
  const TempFolder folder;
  const std::string out = folder / "x.pith";
  const std::string source = kModels + "gemm/model.onnx";
  const Ran first = run_pith({"convert", source, "-o", out}, {.file_bytes = 4096});
  CAPTURE(first.err);
  CHECK(first.code == 7);
  CHECK(contains(first.err, "x.pith"));
  CHECK(folder.file_count() == 0);
  folder.write("x.pith", "old content");
  CHECK(run_pith({"convert", source, "-o", out}, {.file_bytes = 4096}).code == 7);
  CHECK(slurp(out) == "old content");
  CHECK(folder.file_count() == 1);
}

TEST_CASE("an output that cannot be written exits with 7") {
  const TempFolder folder;
  const std::string source = kModels + "gemm/model.onnx";
  CHECK(run_pith({"convert", source, "-o", folder / "no/such/folder/x.pith"}).code == 7);
  CHECK(run_pith({"convert", source, "-o", "/dev/full"}).code == 7);
  CHECK(run_pith({"convert", source, "-o", folder.path()}).code == 7);
  CHECK(folder.file_count() == 0);
}

TEST_CASE("results that do not fit the disk leave no part of a file") {
  const TempFolder folder;
  const std::string model = converted(folder, "gemm");
  const Ran r =
      run_pith({"run", model, "--input", kModels + "gemm/ref/input_0.npy", "--output-dir", folder / "out"},
               {.file_bytes = 64});
  CHECK(r.code == 7);
  CHECK(folder.file_count() == 1);  // the model
}

TEST_CASE("inputs that do not fit are all named with what was expected") {
  const TempFolder folder;
  const std::string model = converted(folder, "gemm");
  const std::vector<float> x(8);
  const int64_t shape[] = {2, 2, 2};
  const std::string wrong_rank = folder / "rank.npy";
  REQUIRE(data::write_npy(wrong_rank, DType::f32, shape, x.data()).is_ok());
  const std::string wrong_type = folder / "type.npy";
  REQUIRE(data::write_npy(wrong_type, DType::i32, shape, x.data()).is_ok());
  folder.write("text.npy", "not an array");
  const Ran missing = run_pith({"run", model});
  CHECK(missing.code == 2);
  CHECK(contains(missing.err, "is missing"));
  const Ran rank = run_pith({"run", model, "--input", wrong_rank});
  CHECK(rank.code == 2);
  CHECK(contains(rank.err, "[2, 2, 2]"));
  const Ran type = run_pith({"run", model, "--input", wrong_type});
  CHECK(type.code == 2);
  CHECK(contains(type.err, "i32"));
  CHECK(contains(type.err, "f32"));
  CHECK(run_pith({"run", model, "--input", "nobody=" + wrong_rank}).code == 2);
  CHECK(run_pith({"run", model, "--input", folder / "text.npy"}).code == 3);
  CHECK(run_pith({"run", model, "--input", folder / "absent.npy"}).code == 7);
}

TEST_CASE("--dump-ir writes the graph after the passes that changed it") {
  const TempFolder folder;
  const Ran r =
      run_pith({"convert", kModels + "gemm/model.onnx", "-o", folder / "x.pith", "--dump-ir", folder / "ir"});
  REQUIRE(r.code == 0);
  CHECK(std::filesystem::exists(folder / "ir/00-import.txt"));
}

TEST_CASE("malformed ONNX files are refused with exit code 3 or 7 within a gigabyte") {
  const std::string root = shared_data();
  PITH_SKIP_WITHOUT(root);
  const TempFolder folder;
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root + "/data/malformed/onnx")) {
    const std::string file = entry.path().filename().string();
    CAPTURE(file);
    RunLimits limits;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    limits.memory_bytes = uint64_t{1} << 30;  // sanitizers map terabytes of shadow
#endif
    limits.seconds = 20;
    const Ran r = run_pith({"convert", entry.path().string(), "-o", folder / "x.pith"}, limits);
    CAPTURE(r.err);
    CHECK((r.code == 3 || r.code == 7));
    CHECK(!r.err.empty());
    CHECK(folder.file_count() == 0);
    std::filesystem::remove(folder / "x.pith");
    ++files;
  }
  CHECK(files > 10);
}
