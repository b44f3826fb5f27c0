// Files of every format version that was ever written load and give what they gave then; files of versions and features
// to come are refused by name. The golden files are made by tests/data/format/make_golden.py.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "kernels/base/float16.h"
#include "runtime/exec/session.h"
#include "tests/support/file_maker.h"
#include "tests/support/shared_data.h"
#include "tests/support/temp_folder.h"

using namespace pith;
namespace fs = std::filesystem;

namespace {

struct GoldenTensor {
  std::string name, dtype;
  std::vector<int64_t> dims;
  std::vector<double> values;
};
struct Golden {
  std::vector<GoldenTensor> inputs, outputs;
};

double float_of(const std::string& hex) {  // eight digits, the bytes of an f32 in file order
  uint8_t bytes[4];
  for (size_t i = 0; i < 4; ++i)
    bytes[i] = static_cast<uint8_t>(std::stoul(hex.substr(2 * i, 2), nullptr, 16));
  float value;
  std::memcpy(&value, bytes, sizeof value);
  return static_cast<double>(value);
}

// Lines "input|output NAME DTYPE DIMS : VALUES".
Golden read_golden(const fs::path& path) {
  Golden golden;
  std::ifstream file(path);
  REQUIRE(file.good());
  for (std::string text; std::getline(file, text);) {
    std::istringstream line(text);
    std::string role, word;
    GoldenTensor t;
    line >> role >> t.name >> t.dtype;
    while (line >> word && word != ":") t.dims.push_back(std::stoll(word));
    while (line >> word)
      t.values.push_back(t.dtype == "f32" || t.dtype == "f16" ? float_of(word) : std::stod(word));
    (role == "input" ? golden.inputs : golden.outputs).push_back(t);
  }
  return golden;
}

double element(const TensorView& t, size_t i) {
  if (t.dtype == DType::f32) return static_cast<double>(t.as<float>()[i]);
  if (t.dtype == DType::f16) return static_cast<double>(to_float(t.as<f16>()[i]));
  if (t.dtype == DType::i64) return static_cast<double>(t.as<int64_t>()[i]);
  REQUIRE(t.dtype == DType::boolean);
  return t.as<uint8_t>()[i];
}

void set_element(const TensorView& t, size_t i, double value) {
  if (t.dtype == DType::f32)
    t.as_mutable<float>()[i] = static_cast<float>(value);
  else if (t.dtype == DType::f16)
    t.as_mutable<f16>()[i] = to_f16(static_cast<float>(value));
  else if (t.dtype == DType::i64)
    t.as_mutable<int64_t>()[i] = static_cast<int64_t>(value);
  else
    t.as_mutable<uint8_t>()[i] = value != 0;
}

// Floats may be summed in another order: 1e-5 of the output's largest value. Quantized and half-float models may step
// over a rounding edge on another backend: 2 %.
void expect(const TensorView& t, const GoldenTensor& golden, double share) {
  CAPTURE(golden.name);
  CHECK(name_of(t.dtype) == golden.dtype);
  REQUIRE(t.shape == Shape(golden.dims));
  REQUIRE(static_cast<size_t>(t.count()) == golden.values.size());
  double largest = 1e-3, worst = 0;
  for (size_t i = 0; i < golden.values.size(); ++i) {
    largest = std::max(largest, std::fabs(golden.values[i]));
    worst = std::max(worst, std::fabs(element(t, i) - golden.values[i]));
  }
  CHECK(worst <= share * largest);
}

void run_golden(const fs::path& model_path, BackendChoice backend) {
  const std::string name = model_path.stem().string();
  CAPTURE(name);
  const Golden golden = read_golden(fs::path(model_path).replace_extension(".txt"));
  const auto model = Model::open(model_path.c_str(), {HashCheck::always});
  REQUIRE_MESSAGE(model.is_ok(), model.status().message());
  SessionOptions options;
  options.backend = backend;
  const auto created = Session::create(model.value(), options);
  REQUIRE_MESSAGE(created.is_ok(), created.status().message());
  Session& session = *created.value();
  REQUIRE(session.input_count() == golden.inputs.size());
  for (size_t i = 0; i < golden.inputs.size(); ++i)
    REQUIRE(session.set_input_shape(i, Shape(golden.inputs[i].dims)).is_ok());
  REQUIRE(session.prepare().is_ok());
  for (size_t i = 0; i < golden.inputs.size(); ++i) {
    CHECK(session.input(i).name == golden.inputs[i].name);
    for (size_t k = 0; k < golden.inputs[i].values.size(); ++k)
      set_element(session.input(i), k, golden.inputs[i].values[k]);
  }
  const Status ran = session.run();
  REQUIRE_MESSAGE(ran.is_ok(), ran.message());
  const bool exact = name != "qdq-conv" && name != "gemm" && name != "fp16" && name.rfind("packed", 0) != 0;
  REQUIRE(session.output_count() == golden.outputs.size());
  for (size_t i = 0; i < golden.outputs.size(); ++i) {
    const auto same_name = [&](const GoldenTensor& t) { return t.name == session.output(i).name; };
    const auto at = std::find_if(golden.outputs.begin(), golden.outputs.end(), same_name);
    REQUIRE(at != golden.outputs.end());
    expect(session.output(i), *at, exact ? 1e-5 : 0.02);
  }
}

// A golden file whose header is altered and sealed again.
template <class Change>
Status open_altered(Change change) {
  std::ifstream file(test::project_file("tests/data/format/v1.0/gru.pith"), std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), {});
  REQUIRE(bytes.size() > sizeof(file::FileHeader));
  file::FileHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  change(header);
  test::seal_header(&header);
  std::memcpy(bytes.data(), &header, sizeof header);
  const test::TempFolder folder;
  return Model::open(folder.write("altered.pith", bytes).c_str()).status();
}

bool says(const Status& status, const char* text) { return status.message().find(text) != std::string::npos; }

}  // namespace

TEST_CASE("format: golden files of every version load and give their golden outputs") {
  size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(test::project_file("tests/data/format"))) {
    if (entry.path().extension() != ".pith") continue;
    run_golden(entry.path(), BackendChoice::automatic);
    run_golden(entry.path(), BackendChoice::reference);
    ++files;
  }
  CHECK(files >= 12);  // those of 1.0; they are never made again
}

TEST_CASE("format: the golden files of 1.0 say that they are 1.0 and need no feature") {
  CHECK(open_altered([](file::FileHeader& h) {
          CHECK(h.major == 1);
          CHECK(h.minor == 0);
          CHECK(h.required_features == 0);
        }).is_ok());
}

TEST_CASE("format: another major version, a newer minor and an unknown feature are refused by name") {
  Status s = open_altered([](file::FileHeader& h) { h.major = 2; });
  CHECK(s.code() == Code::unsupported);
  CHECK(says(s, "format 2.0"));
  CHECK(says(s, "use a newer runtime"));
  s = open_altered([](file::FileHeader& h) { h.major = 0; });
  CHECK(s.code() == Code::unsupported);
  CHECK(says(s, "format 0.0"));
  CHECK(says(s, "convert the model again"));
  s = open_altered([](file::FileHeader& h) { h.minor = file::kMinor + 1; });
  CHECK(s.code() == Code::unsupported);
  CHECK(says(s, format("format 1.%d", file::kMinor + 1).c_str()));
  for (int bit : {0, 17, 63}) {
    const uint64_t unknown = uint64_t{1} << bit & ~file::kKnownFeatures;
    if (unknown == 0) continue;
    s = open_altered([&](file::FileHeader& h) { h.required_features |= unknown; });
    CHECK(s.code() == Code::unsupported);
    CHECK(says(s, format("0x%llx", static_cast<unsigned long long>(unknown)).c_str()));
  }
}

TEST_CASE("format: an unknown advisory feature is no reason to refuse") {
  CHECK(open_altered([](file::FileHeader& h) { h.advisory_features = ~uint64_t{0}; }).is_ok());
}
