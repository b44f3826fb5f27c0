// Whole models with packed weights: the same output bytes for every instruction set, backend of ours and number of threads, and
// outputs close to those of the float model.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "converter/data/npy.h"
#include "kernels/base/cpu.h"
#include "runtime/exec/session.h"
#include "tests/support/converted_model.h"
#include "tests/support/shared_data.h"

using namespace pith;

namespace {

// Bytes of all outputs, one after the other, for the reference inputs of the model.
std::vector<std::vector<uint8_t>> outputs(const LoadedModel& loaded, const std::string& inputs,
                                          const SessionOptions& options, size_t* packed_steps) {
  auto created = Session::create(loaded.model, options);
  REQUIRE_MESSAGE(created.is_ok(), created.status().message());
  Session& session = *created.value();
  std::vector<data::HostTensor> values;
  for (size_t i = 0; i < session.input_count(); ++i) {
    auto read = data::read_npy(inputs + "/input_" + std::to_string(i) + ".npy");
    REQUIRE_MESSAGE(read.is_ok(), read.status().message());
    values.push_back(std::move(read).value());
    REQUIRE(session.set_input_shape(i, Shape(values[i].shape)).is_ok());
  }
  REQUIRE(session.prepare().is_ok());
  for (size_t i = 0; i < values.size(); ++i)
    if (!values[i].bytes.empty())
      std::memcpy(session.input(i).data, values[i].bytes.data(), values[i].bytes.size());
  REQUIRE(session.run().is_ok());
  *packed_steps = 0;
  for (size_t s = 0; s < session.stage_count(); ++s)
    for (const Session::Step& step : session.steps(s))
      *packed_steps += std::string(step.kernel.name).find("panel_") == 0 ? 1 : 0;
  std::vector<std::vector<uint8_t>> all;
  for (size_t i = 0; i < session.output_count(); ++i) {
    const TensorView& t = session.output(i);
    all.emplace_back(t.as<uint8_t>(), t.as<uint8_t>() + t.byte_size());
  }
  return all;
}

double sqnr_db(const std::vector<uint8_t>& expected, const std::vector<uint8_t>& actual) {
  REQUIRE(expected.size() == actual.size());
  double signal = 0, noise = 0;
  for (size_t i = 0; i + 4 <= expected.size(); i += 4) {
    float e = 0, a = 0;
    std::memcpy(&e, expected.data() + i, 4);
    std::memcpy(&a, actual.data() + i, 4);
    signal += static_cast<double>(e) * e;
    noise += (static_cast<double>(e) - a) * (static_cast<double>(e) - a);
  }
  return 10 * std::log10(signal / noise);
}

std::vector<ConvertOptions> precisions() {
  std::vector<ConvertOptions> all(7);
  all[0].precision = Precision::int8_dynamic;
  for (size_t i = 1; i < 5; ++i) all[i].precision = Precision::int4;
  all[2].asymmetric = true;
  all[3].group = 128;
  all[4].group = 64;
  all[5].precision = Precision::nf4;
  all[6].precision = Precision::fp4;
  return all;
}

}  // namespace

TEST_CASE("packed models give the same bytes on every instruction set and with any number of threads") {
  const std::string shared = test::shared_data();
  PITH_SKIP_WITHOUT(shared);
  const test::TempFolder folder;
  for (const char* name :
       {"tiny-random-gpt2", "bert-toy", "magika-v3.3", "mlperf-resnet8", "mlperf-kws-fp32"})
    for (const ConvertOptions& how : precisions()) {
      const std::string root = shared + "/data/models-onnx/" + name;
      const LoadedModel loaded = test::converted_model(root + "/model.onnx", how, folder);
      CAPTURE(name);
      CAPTURE(name_of(how.precision));
      CAPTURE(how.group);
      size_t expected_steps = 0, steps = 0;
      SessionOptions plain;
      plain.backend = BackendChoice::reference;
      const auto expected = outputs(loaded, root + "/ref", plain, &expected_steps);
      CHECK(expected_steps > 0);
      for (Isa level :
           {Isa::scalar, Isa::avx2, Isa::avxvnni, Isa::avx512vnni, Isa::neon, Isa::neondot, Isa::i8mm}) {
        if (std::string(name_of(level)) == "foreign") continue;
        const test::IsaCap cap(name_of(level));
        CAPTURE(name_of(level));
        for (size_t threads : {1, 2}) {
          SessionOptions options;
          options.threads = threads;
          CHECK(outputs(loaded, root + "/ref", options, &steps) == expected);
          CHECK(steps == expected_steps);
        }
      }
    }
}

TEST_CASE("packed models stay close to the float model") {
  const std::string shared = test::shared_data();
  PITH_SKIP_WITHOUT(shared);
  const test::TempFolder folder;
  const std::string root = shared + "/data/models-onnx/magika-v3.3";
  size_t steps = 0;
  const auto expected =
      outputs(test::converted_model(root + "/model.onnx", {}, folder), root + "/ref", {}, &steps);
  for (const ConvertOptions& how : precisions()) {
    const auto actual =
        outputs(test::converted_model(root + "/model.onnx", how, folder), root + "/ref", {}, &steps);
    CAPTURE(name_of(how.precision));
    CAPTURE(how.group);
    // Weights of one product have 18 dB or more; errors of independent weights do not add up to more than that.
    CHECK(sqnr_db(expected[0], actual[0]) > (how.precision == Precision::int8_dynamic ? 30 : 15));
  }
}
