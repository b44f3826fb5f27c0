// The files of examples/datasets on the real data. Expected numbers: computed offline with numpy 1.24 and
// Pillow 9.4 from the same files by the recipe in the name of each test.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>

#include "converter/data/dataset.h"
#include "kernels/base/float16.h"
#include "tests/support/shared_data.h"

using namespace pith;
using namespace pith::data;

namespace {

Result<Dataset> open_example(const std::string& name, const std::string& shared) {
  setenv("PITH_SHARED", shared.c_str(), 1);
  return Dataset::open(pith::test::project_file("examples/datasets/" + name));
}
std::vector<int64_t> first_labels(const Dataset& set, int64_t count) {
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < count; ++i) labels.push_back(set.label(i).value());
  return labels;
}
double sum_of(const HostTensor& x) {
  double sum = 0;
  for (float v : x.as<float>()) sum += static_cast<double>(v);
  return sum;
}
float at(const HostTensor& x, int64_t c, int64_t h, int64_t w) {
  return x.as<float>()[static_cast<size_t>((c * x.shape[1] + h) * x.shape[2] + w)];
}

}  // namespace

#define OPEN_EXAMPLE(set, name)                               \
  const std::string shared = pith::test::shared_data();       \
  PITH_SKIP_WITHOUT(shared);                                  \
  const Result<Dataset> opened = open_example(name, shared);  \
  REQUIRE_MESSAGE(opened.is_ok(), opened.status().message()); \
  const Dataset& set = opened.value()

TEST_CASE("examples: mnist.json has 5,000 digits with raw ink") {
  OPEN_EXAMPLE(set, "mnist.json");
  CHECK(set.size() == 5000);
  CHECK(first_labels(set, 10) == std::vector<int64_t>{7, 1, 4, 4, 5, 0, 9, 1, 9, 3});
  CHECK(set.label(4999).value() == 5);
  const HostTensor first = set.read_input(0, 0).value();
  CHECK(first.shape == std::vector<int64_t>{1, 28, 28});
  CHECK(sum_of(first) == 18454);
  CHECK(sum_of(set.read_input(4999, 0).value()) == 26559);
  const float ink[6] = {84, 185, 159, 151, 60, 36};
  for (int i = 0; i < 6; ++i) CHECK(at(first, 0, 7, 6 + i) == ink[i]);
}

TEST_CASE(
    "examples: mnist-normalized.json is (x / 255 - 0.1307) / 0.3081, and the training images do not leak") {
  OPEN_EXAMPLE(set, "mnist-normalized.json");
  CHECK(at(set.read_input(0, 0).value(), 0, 7, 6) ==
        doctest::Approx((84 / 255.0 - 0.1307) / 0.3081).epsilon(1e-6));
  const Result<Dataset> train = open_example("mnist-train.json", shared);
  REQUIRE_MESSAGE(train.is_ok(), train.status().message());
  CHECK(train.value().size() == 1000);
  CHECK(open_example("fashion-mnist.json", shared).value().size() == 900);
}

TEST_CASE("examples: mlperf-kws01.json turns int8 codes into real features") {
  OPEN_EXAMPLE(set, "mlperf-kws01.json");
  CHECK(set.size() == 500);
  CHECK(first_labels(set, 10) == std::vector<int64_t>{7, 6, 5, 8, 4, 11, 1, 10, 11, 6});
  CHECK(set.class_names()[7] == "stop");
  const HostTensor first = set.read_input(0, 0).value();
  CHECK(first.shape == std::vector<int64_t>{1, 49, 10});
  CHECK(at(first, 0, 0, 0) == -47.36093521118164f);
  CHECK(at(first, 0, 0, 1) == 1.1694058179855347f);
  CHECK(at(set.read_input(499, 0).value(), 0, 48, 8) == -2.3388116359710693f);
  CHECK(sum_of(set.read_input(7, 0).value()) == doctest::Approx(702.8129043579102).epsilon(1e-9));
}

TEST_CASE("examples: cifar10 for resnet8 is raw pixels, for resnet20 normalized per channel") {
  OPEN_EXAMPLE(set, "cifar10-resnet8.json");
  CHECK(set.size() == 3000);
  CHECK(first_labels(set, 10) == std::vector<int64_t>{7, 9, 7, 6, 4, 3, 0, 9, 1, 0});
  CHECK(set.label(2999).value() == 8);
  CHECK(set.class_names()[7] == "horse");
  CHECK(sum_of(set.read_input(0, 0).value()) == 248549);
  CHECK(sum_of(set.read_input(2999, 0).value()) == 439018);
  const Result<Dataset> normalized = open_example("cifar10-resnet20.json", shared);
  REQUIRE_MESSAGE(normalized.is_ok(), normalized.status().message());
  const HostTensor first = normalized.value().read_input(0, 0).value();
  const float corner[3] = {-1.689785122871399f, -1.5630252361297607f, -1.5604357719421387f};
  const float last[3] = {-0.9534206390380859f, -0.7401959896087646f, -0.7238343954086304f};
  for (int c = 0; c < 3; ++c) {  // numpy worked in float32: a few units of its last place apart
    CHECK(at(first, c, 0, 0) == doctest::Approx(corner[c]).epsilon(4e-7));
    CHECK(at(first, c, 31, 31) == doctest::Approx(last[c]).epsilon(4e-7));
  }
  CHECK(sum_of(first) == doctest::Approx(-1790.647566305939).epsilon(1e-6));
  CHECK(open_example("cifar10-resnet8-train.json", shared).value().size() == 500);
  CHECK(open_example("cifar10-resnet20-train.json", shared).value().size() == 500);
}

TEST_CASE("examples: imagenet-raw32.json grows 224 to 278, crops 244 and normalizes like Pillow and numpy") {
  OPEN_EXAMPLE(set, "imagenet-raw32.json");
  CHECK(set.size() == 32);
  CHECK(set.label(31).value() == 993);
  const HostTensor x = set.read_input(3, 0).value();
  CHECK(x.shape == std::vector<int64_t>{3, 244, 244});
  const float want[3] = {0.0569397434592247f, 0.8354342579841614f,
                         1.629106879234314f};  // of pixel (127, 164, 197)
  const double mean[3] = {0.485, 0.456, 0.406}, deviation[3] = {0.229, 0.224, 0.225};
  double total = 0;
  for (int c = 0; c < 3; ++c) {
    CHECK(at(x, c, 100, 57) == doctest::Approx(want[c]).epsilon(1e-6));
    for (int64_t p = 0; p < 244 * 244; ++p)
      total +=
          static_cast<double>(x.as<float>()[static_cast<size_t>(c * 244 * 244 + p)]) * deviation[c] * 255 +
          mean[c] * 255;
  }
  // Pillow's sum of all bytes is 25179916. It rounds its weights to 22 bits, so a pixel in ten thousand may
  // differ by one.
  CHECK(std::abs(total - 25179916) <= 3 * 244 * 244 / 10000.0);
}

TEST_CASE("examples: imagenet-mobilenetv2.json decodes 250 JPEG files and takes labels from their names") {
  OPEN_EXAMPLE(set, "imagenet-mobilenetv2.json");
  CHECK(set.size() == 250);
  CHECK(first_labels(set, 3) == std::vector<int64_t>{1, 5, 9});
  CHECK(set.label(249).value() == 997);
  const HostTensor x = set.read_input(0, 0).value();
  CHECK(x.shape == std::vector<int64_t>{3, 244, 244});
  // By Pillow 12 and numpy; a pixel in ten thousand may differ by one.
  const double want[3] = {-0.52847791, -0.42693935, -0.80478257};
  for (int c = 0; c < 3; ++c) {
    double sum = 0;
    for (size_t p = 0; p < 244 * 244; ++p)
      sum += static_cast<double>(x.as<float>()[static_cast<size_t>(c) * 244 * 244 + p]);
    CHECK(sum / (244 * 244) == doctest::Approx(want[c]).epsilon(1e-5));
  }
  const Result<Dataset> calib = open_example("imagenet-mobilenetv2-calib.json", shared);
  const Result<Dataset> held_out = open_example("imagenet-mobilenetv2-held-out.json", shared);
  REQUIRE(calib.is_ok());
  REQUIRE(held_out.is_ok());
  CHECK(calib.value().size() == 32);
  CHECK(held_out.value().size() == 218);
  CHECK(calib.value().label(1).value() == 33);
  CHECK(held_out.value().label(0).value() == 5);
}

TEST_CASE("examples: imagenet-squeezenet.json is BGR minus the means, as half floats") {
  OPEN_EXAMPLE(set, "imagenet-squeezenet.json");
  const HostTensor x = set.read_input(0, 0).value();
  CHECK(x.dtype == DType::f16);
  CHECK(x.shape == std::vector<int64_t>{3, 224, 224});
  const float want[3] = {-2, 94, 116};  // RGB (239, 211, 102) at row and column 111
  for (size_t c = 0; c < 3; ++c) CHECK(to_float(x.as<f16>()[(c * 224 + 111) * 224 + 111]) == want[c]);
}

TEST_CASE("examples: speech-commands.json has 300 clips with the benchmark's label order") {
  OPEN_EXAMPLE(set, "speech-commands.json");
  CHECK(set.size() == 300);
  CHECK(set.inputs()[0].shape == std::vector<int64_t>{1, 16000});
  CHECK(set.label(0).value() == 10);   // _silence_ sorts first
  CHECK(set.label(50).value() == 0);   // down
  CHECK(set.label(299).value() == 9);  // yes
  const HostTensor silence = set.read_input(0, 0).value(), down = set.read_input(50, 0).value();
  CHECK(silence.as<float>()[0] == -655.0f / 32768);
  CHECK(silence.as<float>()[3] == -543.0f / 32768);
  CHECK(down.as<float>()[8000] == 8732.0f / 32768);
  double sum = 0;
  for (float v : down.as<float>()) sum += std::abs(static_cast<double>(v)) * 32768;
  CHECK(sum == 25342373);
}
