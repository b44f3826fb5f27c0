// The demo's pictures are the same bytes on every compiler and platform, and look like what the model was
// trained on.
#include "examples/digits/draw_digits.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "examples/digits/digit_dataset.h"
#include "examples/digits/digit_random.h"
#include "examples/digits/digit_strokes.h"

namespace pith::examples {
namespace {

namespace fs = std::filesystem;

// FNV-1a, 64 bits.
struct Hash {
  uint64_t value = 0xcbf29ce484222325u;
  void add(uint8_t byte) { value = (value ^ byte) * 0x100000001b3u; }
};

// A folder of this test's own, gone when the test ends.
class Scratch {
 public:
  explicit Scratch(const char* name) : path_(fs::temp_directory_path() / name) { fs::remove_all(path_); }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("draw_digits: the first hundred pictures of seed 3 are the ones digits.onnx was tested on") {
  Hash hash;
  for (uint64_t i = 0; i < 100; ++i) {
    const DigitPicture picture = draw_digit(3, i);
    for (uint8_t p : picture.pixels) hash.add(p);
    hash.add(picture.label);
  }
  CHECK(hash.value == 0x9bcd077dc0082a85u);  // a change here means: draw, train and measure digits.onnx again
}

TEST_CASE("draw_digits: a picture depends on its seed and index alone") {
  const DigitPicture alone = draw_digit(3, 41);
  for (uint64_t i = 0; i < 41; ++i) static_cast<void>(draw_digit(3, i));
  CHECK(draw_digit(3, 41).pixels == alone.pixels);
  CHECK(draw_digit(4, 41).pixels != alone.pixels);
  CHECK(draw_digit(3, 42).pixels != alone.pixels);
}

TEST_CASE("draw_digits: every digit is drawn about equally often") {
  std::array<int, 10> seen{};
  for (uint64_t i = 0; i < 2000; ++i) ++seen[draw_digit(11, i).label];
  // 200 expected of each, deviation sqrt(2000 * 0.1 * 0.9) = 13.4: five of them on either side.
  for (int count : seen) CHECK((count > 133 && count < 267));
}

TEST_CASE("draw_digits: every picture has ink that stands out from its paper") {
  for (uint64_t i = 0; i < 500; ++i) {
    CAPTURE(i);
    auto pixels = draw_digit(12, i).pixels;
    std::sort(pixels.begin(), pixels.end());
    CHECK(pixels[kDigitPixels / 2] < 140);                             // mostly paper
    CHECK(pixels[kDigitPixels - 20] > pixels[kDigitPixels / 2] + 30);  // the darkest 20 pixels are ink
  }
}

TEST_CASE("draw_digits: every way to write a digit stays in its box and never draws a single point") {
  for (int digit = 0; digit < 10; ++digit) {
    REQUIRE_FALSE(ways_to_write(digit).empty());
    for (const Handwriting& way : ways_to_write(digit)) {
      REQUIRE(way.size() >= 2);
      CHECK_FALSE(way.front() == kPenUp);
      CHECK_FALSE(way.back() == kPenUp);
      for (size_t i = 0; i < way.size(); ++i) {
        if (way[i] == kPenUp) {
          CHECK_FALSE(way[i - 1] == kPenUp);
          continue;
        }
        CHECK((way[i].x >= 0 && way[i].x <= 100 && way[i].y >= 0 && way[i].y <= 100));
      }
    }
  }
}

TEST_CASE("digit random: bounds hold, and the bell has the deviation it was asked for") {
  DigitRandom random(5, 0);
  double sum = 0, squares = 0;
  for (int i = 0; i < 20000; ++i) {
    const int v = random.around_zero(1000);
    REQUIRE((v >= -3500 && v <= 3500));
    sum += v;
    squares += static_cast<double>(v) * v;
    const int b = random.between(-3, 4);
    REQUIRE((b >= -3 && b <= 4));
  }
  CHECK(std::abs(sum / 20000) < 36);  // 5 * 1000 / sqrt(20000)
  CHECK(squares / 20000 == doctest::Approx(1e6).epsilon(0.05));
}

TEST_CASE(
    "digit dataset: the folder holds npy files of pictures from 0 to 1 and their labels, and nothing else") {
  const Scratch folder("pith_digit_dataset_test");
  REQUIRE(write_digit_dataset(folder.path().string(), 3, 9) == "");
  const std::string inputs = bytes_of(folder.path() / "inputs.npy"),
                    labels = bytes_of(folder.path() / "labels.npy");
  REQUIRE(inputs.size() == 128 + 3 * kDigitPixels * 4);
  REQUIRE(labels.size() == 128 + 3 * 8);
  CHECK(inputs.substr(0, 8) == std::string("\x93NUMPY\x01\x00", 8));
  CHECK(inputs.find("'descr': '<f4', 'fortran_order': False, 'shape': (3, 1, 28, 28)") != std::string::npos);
  CHECK(labels.find("'descr': '<i8', 'fortran_order': False, 'shape': (3,)") != std::string::npos);
  for (size_t i = 0; i < 3; ++i) {
    const DigitPicture picture = draw_digit(9, i);
    CHECK(static_cast<uint8_t>(labels[128 + 8 * i]) == picture.label);
    for (size_t p = 0; p < kDigitPixels; ++p) {
      float value = 0;
      std::memcpy(&value, inputs.data() + 128 + 4 * (i * kDigitPixels + p), 4);  // little-endian hosts
      REQUIRE(value == static_cast<float>(picture.pixels[p]) / 255.0f);
    }
  }
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 2);
}

TEST_CASE("digit dataset: a place that is no folder, and a count of nothing, are refused by name") {
  const Scratch folder("pith_digit_dataset_refusal_test");
  fs::create_directories(folder.path());
  const fs::path file = folder.path() / "taken";
  std::ofstream(file) << "x";
  CHECK(write_digit_dataset(file.string(), 3, 9).find("taken") != std::string::npos);
  CHECK(bytes_of(file) == "x");
  CHECK(write_digit_dataset(folder.path().string(), 0, 9).find("count") != std::string::npos);
  CHECK_FALSE(fs::exists(folder.path() / "inputs.npy"));
}

TEST_CASE("digit dataset: a failed write leaves the earlier pictures and no half file") {
  const Scratch folder("pith_digit_dataset_failure_test");
  REQUIRE(write_digit_dataset(folder.path().string(), 2, 9) == "");
  const std::string before = bytes_of(folder.path() / "inputs.npy");
  fs::create_directories(folder.path() /
                         "labels.npy.partial");  // a folder where the second file would be written
  CHECK(write_digit_dataset(folder.path().string(), 2, 10).find("labels.npy.partial") != std::string::npos);
  CHECK(bytes_of(folder.path() / "inputs.npy") == before);
  CHECK_FALSE(fs::exists(folder.path() / "inputs.npy.partial"));
  CHECK(fs::exists(folder.path() / "labels.npy.partial"));  // not ours to remove
}

}  // namespace pith::examples
