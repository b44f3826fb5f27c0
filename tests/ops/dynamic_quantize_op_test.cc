// DynamicQuantize: the examples of the ONNX specification's formula, ranges of one sign, zeros, nothing.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

namespace pith {
namespace {

OpResult dynamic(const std::vector<float>& x) {
  OpRunSettings settings;
  settings.outputs = 3;
  return run_op(schema::DynamicQuantizeOptionsT(), {tensor<float>({static_cast<int64_t>(x.size())}, x)},
                settings);
}

}  // namespace

TEST_CASE("dynamic_quantize spans 0 and all values") {
  OpResult r = dynamic({0, 2, -3, -2.5f, 1.34f, 0.5f});
  REQUIRE(r.status.message() == "");
  CHECK(r.out[0].values<uint8_t>() == std::vector<uint8_t>{153, 255, 0, 26, 221, 179});
  CHECK(r.out[1].values<float>()[0] == 5.0f / 255);
  CHECK(r.out[2].values<uint8_t>() == std::vector<uint8_t>{153});
  OpResult positive = dynamic({1, 2.1f, 1.3f, 2.5f, 3.34f, 4, 1.5f, 2.6f, 3.9f, 4, 3, 2.345f});
  CHECK(positive.out[2].values<uint8_t>() == std::vector<uint8_t>{0});
  CHECK(positive.out[0].values<uint8_t>()[5] == 255);
}

TEST_CASE("dynamic_quantize of zeros has scale 1, and of nothing too") {
  CHECK(dynamic({0, 0}).out[1].values<float>()[0] == 1);
  CHECK(dynamic({}).out[1].values<float>()[0] == 1);
}

}  // namespace pith
