// Whole INT8 networks: the same output bytes for every instruction set and any number of threads.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "converter/data/npy.h"
#include "kernels/base/cpu.h"
#include "runtime/exec/session.h"
#include "tests/support/converted_model.h"
#include "tests/support/shared_data.h"

using namespace pith;

namespace {

LoadedModel converted_to_int8(const std::string& source, const std::string& calibration,
                              const test::TempFolder& folder) {
  ConvertOptions options;
  options.precision =
      calibration.empty() ? Precision::fp32 : Precision::int8;  // without: the source has codes
  options.calibration = calibration;
  options.calibration_items = 8;
  return test::converted_model(source, std::move(options), folder);
}

size_t own_products(const Session& session) {
  size_t count = 0;
  for (size_t s = 0; s < session.stage_count(); ++s)
    for (const Session::Step& step : session.steps(s)) {
      const std::string name = step.kernel.name;
      count += name == "conv_i8" || name == "depthwise_i8" || name == "fully_connected_i8" ? 1 : 0;
    }
  return count;
}

// Bytes of all outputs for one picture of seeded noise.
std::vector<std::vector<uint8_t>> outputs(const LoadedModel& loaded, BackendChoice backend, size_t threads,
                                          size_t* products) {
  SessionOptions options;
  options.backend = backend;
  options.threads = threads;
  auto created = Session::create(loaded.model, options);
  REQUIRE_MESSAGE(created.is_ok(), created.status().message());
  Session& session = *created.value();
  Shape shape = session.input(0).shape;
  if (shape[0] < 0) shape[0] = 1;
  REQUIRE(session.input_count() == 1);
  REQUIRE(session.set_input_shape(0, shape).is_ok());
  REQUIRE(session.prepare().is_ok());
  std::mt19937 random(5);
  const TensorView& x = session.input(0);
  REQUIRE(x.dtype == DType::f32);
  for (int64_t i = 0; i < x.count(); ++i)
    x.as_mutable<float>()[i] = static_cast<float>(static_cast<double>(random() >> 8) * 0x1p-24 * 2 - 0.5);
  REQUIRE(session.run().is_ok());
  *products = own_products(session);
  std::vector<std::vector<uint8_t>> all;
  for (size_t i = 0; i < session.output_count(); ++i) {
    const TensorView& t = session.output(i);
    all.emplace_back(t.as<uint8_t>(), t.as<uint8_t>() + t.byte_size());
  }
  return all;
}

// Without vector kernels XNNPACK takes the nodes, unless a cap leaves it out.
size_t taken(Cpu cpu, size_t products) { return cpu.capped || cpu.has(Cpu::avx2) ? products : 0; }

// `products`: how many nodes of the model our i8 kernels run.
void check_model(const LoadedModel& loaded, const std::string& name, size_t products) {
  CAPTURE(name);
  size_t own = 0;
  const auto reference = outputs(loaded, BackendChoice::reference, 1, &own);
  CHECK(own == 0);
  // Uncapped and with XNNPACK, whose softmax of floats is another one, threads change nothing either.
  const auto native = outputs(loaded, BackendChoice::automatic, 1, &own);
  CHECK(own == taken(detect_cpu(), products));
  CHECK(outputs(loaded, BackendChoice::automatic, 2, &own) == native);
  for (Isa level :
       {Isa::scalar, Isa::avx2, Isa::avxvnni, Isa::avx512vnni, Isa::neon, Isa::neondot, Isa::i8mm}) {
    if (std::string(name_of(level)) == "foreign") continue;
    const std::string isa = name_of(level);
    CAPTURE(isa);
    const test::IsaCap cap(name_of(level));
    for (size_t threads : {1, 2}) {
      CAPTURE(threads);
      CHECK(outputs(loaded, BackendChoice::pith, threads, &own) == reference);
      CHECK(own == taken(cap_cpu(detect_cpu(), level), products));
    }
  }
}

}  // namespace

TEST_CASE("int8: shipped models give the same bytes on every instruction set, as the reference does") {
  struct Case {
    const char* source;
    Shape calibration;
    size_t products;
  };
  for (const Case& c : {Case{"examples/digits/digits.onnx", {8, 1, 28, 28}, 12},
                        Case{"tests/data/onnx/hard-swish/model.onnx", {8, 3, 9, 9}, 3}}) {
    const test::TempFolder folder;
    const auto bytes = static_cast<size_t>(c.calibration.count()) * sizeof(float);
    data::HostTensor images{DType::f32, {}, std::vector<std::byte>(bytes)};
    images.shape.assign(c.calibration.dims().begin(), c.calibration.dims().end());
    std::mt19937 random(3);
    for (float& v : images.as<float>()) v = static_cast<float>((random() >> 8) * 0x1p-24);
    REQUIRE(data::write_npy(folder / "inputs.npy", images).is_ok());
    check_model(converted_to_int8(test::project_file(c.source), folder.path(), folder), c.source, c.products);
  }
}

TEST_CASE("int8: real networks give the same bytes on every instruction set, as the reference does") {
  const std::string root = test::shared_data();
  PITH_SKIP_WITHOUT(root);
  setenv("PITH_SHARED", root.c_str(), 1);  // the data sets' root
  const auto model = [&](const char* name) { return root + "/data/models-onnx/" + name + "/model.onnx"; };
  const auto data_set = [](const char* name) {
    return test::project_file(std::string("examples/datasets/") + name + ".json");
  };
  const test::TempFolder folder;
  check_model(converted_to_int8(model("mlperf-kws-int8-qdq"), "", folder), "kws", 10);
  check_model(converted_to_int8(model("mlperf-resnet8"), data_set("cifar10-resnet8-train"), folder),
              "resnet8", 10);
}
