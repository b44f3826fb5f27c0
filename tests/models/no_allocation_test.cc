// Whole models never allocate in `run`: every convertible model of the real data, at one and two threads.
//
// The promise of pith.h: no allocation in a run whose shapes, and whose values that decide shapes, are those of the
// run before. A model planned in stages (an If or a shape computed from an input's values) is therefore fed the same
// values. Of the real models none is: what decides their shapes is known from the shapes of their inputs.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "converter/data/npy.h"
#include "runtime/exec/session.h"
#include "tests/support/alloc_guard.h"
#include "tests/support/converted_model.h"
#include "tests/support/shared_data.h"

using namespace pith;
namespace fs = std::filesystem;

namespace {

// The folder of the reference inputs that come with a model file, or "".
std::string reference_folder(const fs::path& model) {
  for (const std::string& name : {"ref_" + model.stem().string(), std::string("ref")})
    if (fs::exists(model.parent_path() / name)) return (model.parent_path() / name).string();
  return "";
}

// Reference inputs where they exist (they hold valid indices, rates and so on), else seeded noise; free dims are 1.
std::vector<data::HostTensor> inputs_for(const Session& session, const std::string& folder) {
  std::vector<data::HostTensor> inputs(session.input_count());
  std::mt19937 random(7);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const TensorView& declared = session.input(i);
    if (!folder.empty()) {
      auto read = data::read_npy(folder + "/input_" + std::to_string(i) + ".npy");
      REQUIRE_MESSAGE(read.is_ok(), read.status().message());
      inputs[i] = std::move(read).value();
      REQUIRE(inputs[i].dtype == declared.dtype);
      continue;
    }
    inputs[i].dtype = declared.dtype;
    for (int64_t d : declared.shape.dims()) inputs[i].shape.push_back(d < 0 ? 1 : d);
    std::vector<double> values(static_cast<size_t>(inputs[i].count()));
    for (double& v : values) v = (random() >> 8) * 0x1p-24;
    inputs[i].bytes.resize(values.size() * size_of(declared.dtype));
    data::from_doubles(declared.dtype, values.data(), values.size(), inputs[i].bytes.data());
  }
  return inputs;
}

void write_inputs(Session& session, const std::vector<data::HostTensor>& inputs) {
  for (size_t i = 0; i < inputs.size(); ++i)
    if (!inputs[i].bytes.empty())
      std::memcpy(session.input(i).data, inputs[i].bytes.data(), inputs[i].bytes.size());
}

struct Counted {
  size_t stages = 0;
  long allocations = 0;
};

Counted allocations_of_a_warm_run(const LoadedModel& loaded, size_t threads, const std::string& folder) {
  SessionOptions options;
  options.threads = threads;
  auto created = Session::create(loaded.model, options);
  REQUIRE_MESSAGE(created.is_ok(), created.status().message());
  Session& session = *created.value();
  const std::vector<data::HostTensor> inputs = inputs_for(session, folder);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Status shaped = session.set_input_shape(i, Shape(inputs[i].shape));
    REQUIRE_MESSAGE(shaped.is_ok(), shaped.message());
  }
  REQUIRE(session.prepare().is_ok());
  write_inputs(session, inputs);
  const Status warm = session.run();
  REQUIRE_MESSAGE(warm.is_ok(), warm.message());
  write_inputs(session, inputs);  // an input's bytes may have served as scratch
  AllocCounter counter;
  const Status ran = session.run();
  const long allocations = counter.count();
  const std::string seen(100, 'x');  // the counter counts: this string is too long to live in place
  if (kCountsAllocations) REQUIRE(counter.count() > allocations);
  REQUIRE_MESSAGE(ran.is_ok(), ran.message());
  return {session.stage_count(), allocations};
}

// The number of stages.
size_t check_model(const LoadedModel& loaded, const std::string& name, const std::string& folder) {
  CAPTURE(name);
  size_t stages = 0;
  for (size_t threads : {1, 2}) {
    CAPTURE(threads);
    const Counted counted = allocations_of_a_warm_run(loaded, threads, folder);
    if (kCountsAllocations) CHECK(counted.allocations == 0);
    stages = counted.stages;
  }
  return stages;
}

// Every .onnx file below a folder, in order.
std::vector<fs::path> models_below(const std::string& folder) {
  std::vector<fs::path> models;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".onnx") models.push_back(entry.path());
  std::sort(models.begin(), models.end());
  return models;
}

LoadedModel converted(const std::string& source, Precision precision, const std::string& calibration,
                      const test::TempFolder& folder) {
  ConvertOptions options;
  options.precision = precision;
  options.calibration = calibration;
  options.calibration_items = 8;
  return test::converted_model(source, std::move(options), folder);
}

}  // namespace

TEST_CASE("allocations: the shipped digits model runs without any, at every precision") {
  const std::string source = test::project_file("examples/digits/digits.onnx");
  for (Precision precision :
       {Precision::fp32, Precision::fp16, Precision::int8_dynamic, Precision::int4, Precision::nf4}) {
    const test::TempFolder folder;
    check_model(converted(source, precision, "", folder), std::string("digits ") + name_of(precision), "");
  }
  const test::TempFolder folder;
  data::HostTensor images{DType::f32, {8, 1, 28, 28}, std::vector<std::byte>(8 * 28 * 28 * sizeof(float))};
  std::mt19937 random(3);
  for (float& v : images.as<float>()) v = static_cast<float>((random() >> 8) * 0x1p-24);
  REQUIRE(data::write_npy(folder / "inputs.npy", images).is_ok());
  check_model(converted(source, Precision::int8, folder.path(), folder), "digits int8", "");
}

TEST_CASE("allocations: the shipped test models run without any, also those whose shapes depend on values") {
  std::vector<std::string> staged;
  size_t ran = 0;
  for (const fs::path& path : models_below(test::project_file("tests/data/onnx"))) {
    const std::string name = path.parent_path().filename().string();
    const auto loaded = load_model(path.string());
    if (!loaded.is_ok()) {
      CHECK(name == "refused-custom");
      continue;
    }
    const std::string folder =
        name == "if-branches" ? path.parent_path().string() + "/ref_true" : reference_folder(path);
    if (check_model(loaded.value(), name, folder) > 1) staged.push_back(name);
    ++ran;
  }
  CHECK(ran >= 17);
  CHECK(staged == std::vector<std::string>{"if-branches"});
}

TEST_CASE("allocations: every real model runs without any") {
  const std::string root = test::shared_data();
  PITH_SKIP_WITHOUT(root);
  size_t ran = 0;
  for (const fs::path& path : models_below(root + "/data/models-onnx")) {
    const std::string name = path.parent_path().filename().string() + "/" + path.filename().string();
    const auto loaded = load_model(path.string());
    if (!loaded.is_ok()) {  // only the one with experimental operators, and by their names
      CAPTURE(name);
      CHECK(name == "candy-style/model.onnx");
      CHECK(loaded.status().message().find("ImageScaler") != std::string::npos);
      continue;
    }
    CHECK(check_model(loaded.value(), name, reference_folder(path)) == 1);
    ++ran;
  }
  CHECK(ran == 22);
}

TEST_CASE("allocations: real models in 8 and 4 bits run without any") {
  const std::string root = test::shared_data();
  PITH_SKIP_WITHOUT(root);
  setenv("PITH_SHARED", root.c_str(), 1);  // the data sets' root
  struct Case {
    const char* file;
    Precision precision;
    const char* calibration;
  };
  for (const Case& c : {Case{"mnist-8/model.onnx", Precision::int8, "mnist-train"},
                        Case{"mlperf-resnet8/model.onnx", Precision::int8, "cifar10-resnet8-train"},
                        Case{"mlperf-kws-fp32/model.onnx", Precision::int8, "mlperf-kws01"},
                        Case{"squeezenet-fp16/model.onnx", Precision::int8, "imagenet-squeezenet-calib"},
                        Case{"mnist-8/model.onnx", Precision::int8_dynamic, nullptr},
                        Case{"dtln/model_2.onnx", Precision::int8_dynamic, nullptr},
                        Case{"magika-v3.3/model.onnx", Precision::int8_dynamic, nullptr},
                        Case{"tiny-random-gpt2/model.onnx", Precision::int8_dynamic, nullptr},
                        Case{"tiny-random-gpt2/model.onnx", Precision::int4, nullptr},
                        Case{"mlperf-resnet8/model.onnx", Precision::int4, nullptr},
                        Case{"mlperf-kws-fp32/model.onnx", Precision::int8_dynamic, nullptr},
                        Case{"squeezenet-fp16/model.onnx", Precision::nf4, nullptr},
                        Case{"bert-toy/model.onnx", Precision::nf4, nullptr}}) {
    const std::string source = root + "/data/models-onnx/" + c.file;
    const std::string set =
        c.calibration == nullptr
            ? ""
            : test::project_file(std::string("examples/datasets/") + c.calibration + ".json");
    CAPTURE(source);
    const test::TempFolder folder;
    check_model(converted(source, c.precision, set, folder), std::string(c.file) + " " + name_of(c.precision),
                reference_folder(source));
  }
}
