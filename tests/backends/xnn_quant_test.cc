// XNNPACK's conversions between numbers and codes against the reference.
#include "tests/backends/backend_runner.h"

namespace pith {
namespace {

TestTensor scalar_codes(DType type, int zero) {
  return type == DType::i8 ? tensor<int8_t>({}, {static_cast<int8_t>(zero)})
                           : tensor<uint8_t>({}, {static_cast<uint8_t>(zero)});
}

}  // namespace

TEST_CASE("xnnpack quantizes as the reference where the scale is a power of two, and declines other scales") {
  RandomTensors random(61);
  const TestTensor x = random.floats({3, 1001}, -9, 9);
  for (DType type : {DType::i8, DType::u8})
    for (float scale : {0.0625f, 0.03f}) {
      schema::QuantizeOptionsT o;
      OpRunSettings settings;
      settings.declared = {TestTensor{}};
      settings.declared[0].dtype = type;
      const int zero = type == DType::i8 ? -7 : 120;
      const Compared r =
          compare_backends(o, {x, tensor<float>({}, {scale}), scalar_codes(type, zero)}, settings);
      CHECK(r.taken == (scale == 0.0625f));
      CHECK(r.max_steps == 0);
    }
}

TEST_CASE("xnnpack dequantizes exactly as the reference") {
  RandomTensors random(62);
  schema::DequantizeOptionsT o;
  const TestTensor scale = tensor<float>({}, {0.037f});
  const Compared i =
      compare_backends(o, {random.integers<int8_t>({777}, -128, 127), scale, scalar_codes(DType::i8, -9)});
  CHECK(i.taken);
  CHECK(i.different == 0);
  const Compared u =
      compare_backends(o, {random.integers<uint8_t>({777}, 0, 255), scale, scalar_codes(DType::u8, 200)});
  CHECK(u.taken);
  CHECK(u.different == 0);
  const TestTensor many = tensor<float>({2}, {0.1f, 0.2f});
  o.axis = 0;
  CHECK_FALSE(compare_backends(o, {random.integers<int8_t>({2, 9}, -128, 127), many}).taken);
}

}  // namespace pith
