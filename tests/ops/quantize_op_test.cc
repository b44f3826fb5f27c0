// Quantize and Dequantize: one scale, per axis, in blocks, numbers of the tensor itself, refusals.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"

namespace pith {
namespace {

schema::QuantizeOptionsT quantize(int axis = 1, uint32_t block = 0) {
  schema::QuantizeOptionsT o;
  o.axis = axis;
  o.block = block;
  return o;
}
schema::DequantizeOptionsT dequantize(int axis = 1, uint32_t block = 0) {
  schema::DequantizeOptionsT o;
  o.axis = axis;
  o.block = block;
  return o;
}

}  // namespace

TEST_CASE("quantize rounds half to even before adding the zero point, and saturates") {
  const TestTensor x = tensor<float>({6}, {1, 3, -1, 1000, -1000, NAN});
  OpResult r = run_op(quantize(), {x, tensor<float>({}, {2}), tensor<int8_t>({}, {1})});
  REQUIRE(r.status.message() == "");
  CHECK(r.out[0].values<int8_t>() == std::vector<int8_t>{1, 3, 1, 127, -128, -128});
  OpResult u = run_op(quantize(), {x, tensor<float>({}, {2})});
  CHECK(u.out[0].values<uint8_t>() == std::vector<uint8_t>{0, 2, 0, 255, 0, 0});
  OpResult w = run_op(quantize(), {x, tensor<float>({1}, {0.01f}), tensor<uint16_t>({1}, {100})});
  CHECK(w.out[0].values<uint16_t>() == std::vector<uint16_t>{200, 400, 0, 65535, 0, 0});
}

TEST_CASE("quantize and dequantize use one scale for each index of the axis, inner or outer") {
  const TestTensor x = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  OpResult rows = run_op(quantize(0), {x, tensor<float>({2}, {1, 2}), tensor<int8_t>({2}, {0, 10})});
  CHECK(rows.out[0].values<int8_t>() == std::vector<int8_t>{1, 2, 3, 12, 12, 13});
  OpResult columns = run_op(quantize(-1), {x, tensor<float>({3}, {1, 2, 3}), tensor<int8_t>({3}, {0, 1, 2})});
  CHECK(columns.out[0].values<int8_t>() == std::vector<int8_t>{1, 2, 3, 4, 3, 4});
  OpResult back = run_op(dequantize(0), {tensor<int32_t>({2, 1, 2}, {INT32_MAX, 1, 2, 3}),
                                         tensor<float>({2}, {1, 2}), tensor<int32_t>({2}, {INT32_MAX, 1})});
  CHECK(back.out[0].values<float>() == std::vector<float>{0, -2147483646.0f, 2, 4});
}

TEST_CASE("quantize and dequantize work in blocks along any axis") {
  std::vector<float> x(2 * 6 * 3);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  for (int64_t block : {2, 4, 6}) {
    const int64_t blocks = (6 + block - 1) / block;
    std::vector<float> scale(static_cast<size_t>(2 * blocks * 3));
    for (size_t i = 0; i < scale.size(); ++i) scale[i] = static_cast<float>(i + 1);
    OpResult r = run_op(quantize(1, static_cast<uint32_t>(block)),
                        {tensor<float>({2, 6, 3}, x), tensor<float>({2, blocks, 3}, scale)});
    REQUIRE(r.status.message() == "");
    OpResult d =
        run_op(dequantize(1, static_cast<uint32_t>(block)), {r.out[0], tensor<float>({2, blocks, 3}, scale)});
    for (int64_t i = 0; i < 36; ++i) {
      const int64_t o = i / 18, k = i / 3 % 6, c = i % 3;
      const float s = scale[static_cast<size_t>((o * blocks + k / block) * 3 + c)];
      const auto code = static_cast<uint8_t>(std::nearbyint(x[static_cast<size_t>(i)] / s));
      CHECK(r.out[0].values<uint8_t>()[static_cast<size_t>(i)] == code);
      CHECK(d.out[0].values<float>()[static_cast<size_t>(i)] == static_cast<float>(code) * s);
    }
  }
  // along the innermost axis, whole blocks and a rest
  for (int64_t block : {2, 4}) {
    const int64_t blocks = (6 + block - 1) / block;
    std::vector<float> scale(static_cast<size_t>(2 * blocks));
    for (size_t i = 0; i < scale.size(); ++i) scale[i] = static_cast<float>(i + 1);
    OpResult r =
        run_op(dequantize(-1, static_cast<uint32_t>(block)),
               {tensor<int8_t>({2, 6}, std::vector<int8_t>(12, 3)), tensor<float>({2, blocks}, scale)});
    for (int64_t i = 0; i < 12; ++i)
      CHECK(r.out[0].values<float>()[static_cast<size_t>(i)] ==
            3 * scale[static_cast<size_t>(i / 6 * blocks + i % 6 / block)]);
  }
}

TEST_CASE("quantize and dequantize take the numbers of the quantized tensor") {
  OpRunSettings settings;
  settings.declared = {tensor<int8_t>({1}, {}).quantized(0.5f, 3)};
  schema::QuantizeOptionsT o = quantize();
  o.to = static_cast<uint8_t>(DType::i8);
  OpResult r = run_op(o, {tensor<float>({2}, {1, -2})}, settings);
  CHECK(r.out[0].values<int8_t>() == std::vector<int8_t>{5, -1});
  OpResult d = run_op(dequantize(), {tensor<int8_t>({2}, {5, -1}).quantized(0.5f, 3)});
  CHECK(d.out[0].values<float>() == std::vector<float>{1, -2});
}

TEST_CASE("dequantize reads 4-bit codes and gives the type of the scale") {
  const TestTensor codes = tensor<uint8_t>({3}, {0x7f, 0x08}, DType::i4);
  OpResult r = run_op(dequantize(), {codes, tensor<float>({}, {2}), tensor<uint8_t>({}, {0x01}, DType::i4)});
  CHECK(r.out[0].values<float>() == std::vector<float>{-4, 12, -18});
  OpResult h = run_op(dequantize(), {tensor<int8_t>({1}, {3}), tensor<uint16_t>({}, {0x3c00}, DType::f16)});
  CHECK(h.out[0].dtype == DType::f16);
  CHECK(h.out[0].values<uint16_t>() == std::vector<uint16_t>{0x4200});
}

TEST_CASE("quantize survives scales of zero and refuses numbers that do not fit") {
  OpResult zero =
      run_op(quantize(), {tensor<float>({3}, {1, 0, -1}), tensor<float>({}, {0}), tensor<int8_t>({}, {0})});
  CHECK(zero.out[0].values<int8_t>() == std::vector<int8_t>{127, -128, -128});
  const TestTensor x = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(run_op(quantize(0), {x, tensor<float>({3}, {1, 1, 1})}).status.code() == Code::bad_file);
  CHECK(run_op(quantize(5), {x, tensor<float>({3}, {1, 1, 1})}).status.code() == Code::bad_file);
  CHECK(run_op(quantize(1, 2), {x, tensor<float>({2, 3}, {1, 1, 1, 1, 1, 1})}).status.code() ==
        Code::bad_file);
  CHECK(run_op(quantize(), {x}).status.code() == Code::bad_file);
  CHECK(run_op(dequantize(), {tensor<int8_t>({1}, {1}), tensor<float>({}, {1}), tensor<uint8_t>({}, {1})})
            .status.code() == Code::bad_file);
}

}  // namespace pith
