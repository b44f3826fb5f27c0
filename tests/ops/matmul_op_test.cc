// MatMul, MatMulInteger and FullyConnected against their definitions.
#include <doctest/doctest.h>

#include <cmath>

#include "kernels/base/float16.h"
#include "tests/support/op_runner.h"
#include "tests/support/random_values.h"

using namespace pith;
using test::Random;

namespace {
// y[i] = sum over k of f(row of a, column of b, k), for one [m, k] x [k, n].
template <class T>
std::vector<double> product(const std::vector<T>& a, const std::vector<T>& b, int64_t m, int64_t k,
                            int64_t n) {
  std::vector<double> y;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t c = 0; c < k; ++c)
        sum += static_cast<double>(a[static_cast<size_t>(i * k + c)]) *
               static_cast<double>(b[static_cast<size_t>(c * n + j)]);
      y.push_back(sum);
    }
  return y;
}
template <class T>
std::vector<T> transposed(const std::vector<T>& b, int64_t k, int64_t n) {
  std::vector<T> t(b.size());
  for (int64_t i = 0; i < k; ++i)
    for (int64_t j = 0; j < n; ++j) t[static_cast<size_t>(j * k + i)] = b[static_cast<size_t>(i * n + j)];
  return t;
}
void check_close(const std::vector<float>& y, const std::vector<double>& want, int64_t k) {
  REQUIRE(y.size() == want.size());
  // Terms are at most 1: (k + 3) roundings of 2^-24 times k.
  const double bound = static_cast<double>(k + 3) * static_cast<double>(k) * 0x1p-24;
  for (size_t i = 0; i < y.size(); ++i) REQUIRE(std::fabs(y[i] - want[i]) <= bound);
}
}  // namespace

TEST_CASE("matmul: f32 matches the definition for sizes around every block edge, b plain and transposed") {
  Random r(1);
  for (int64_t m : {1, 3, 4, 5})
    for (int64_t n : {1, 15, 16, 17, 33})
      for (int64_t k : {1, 4, 7, 20}) {
        const auto a = r.reals(m * k), b = r.reals(k * n);
        schema::MatMulOptionsT o;
        const OpResult plain = run_op(o, {tensor<float>({m, k}, a), tensor<float>({k, n}, b)});
        REQUIRE_MESSAGE(plain.status.is_ok(), plain.status.message());
        CHECK_FALSE(plain.overrun);
        check_close(plain.out[0].values<float>(), product(a, b, m, k, n), k);
        o.transpose_b = true;
        const OpResult turned =
            run_op(o, {tensor<float>({m, k}, a), tensor<float>({n, k}, transposed(b, k, n))});
        REQUIRE_MESSAGE(turned.status.is_ok(), turned.status.message());
        check_close(turned.out[0].values<float>(), product(a, b, m, k, n), k);
      }
}

TEST_CASE("matmul: batch dims broadcast, and vectors lose the dim they gained") {
  Random r(2);
  const auto a = r.reals(2 * 3 * 4), b = r.reals(3 * 4 * 2);
  const schema::MatMulOptionsT o;
  const OpResult y = run_op(o, {tensor<float>({2, 1, 3, 4}, a), tensor<float>({3, 4, 2}, b)});
  REQUIRE_MESSAGE(y.status.is_ok(), y.status.message());
  REQUIRE(y.out[0].shape == Shape{2, 3, 3, 2});
  const auto values = y.out[0].values<float>();
  for (size_t i = 0; i < 2; ++i)
    for (size_t j = 0; j < 3; ++j) {
      const std::vector<float> ai(a.begin() + static_cast<long>(i) * 12,
                                  a.begin() + static_cast<long>(i + 1) * 12);
      const std::vector<float> bj(b.begin() + static_cast<long>(j) * 8,
                                  b.begin() + static_cast<long>(j + 1) * 8);
      const auto at = values.begin() + static_cast<long>(i * 3 + j) * 6;
      check_close({at, at + 6}, product(ai, bj, 3, 4, 2), 4);
    }
  const auto v = tensor<float>({3}, {1, 2, 3}), m = tensor<float>({3, 2}, {1, 2, 3, 4, 5, 6});
  CHECK(run_op(o, {v, v}).out[0].shape == Shape{});
  CHECK(run_op(o, {v, v}).out[0].values<float>() == std::vector<float>{14});
  CHECK(run_op(o, {v, m}).out[0].values<float>() == std::vector<float>{22, 28});
  CHECK(run_op(o, {v, m}).out[0].shape == Shape{2});
  CHECK(run_op(o, {tensor<float>({2, 3}, {1, 0, 0, 0, 1, 1}), v}).out[0].values<float>() ==
        std::vector<float>{1, 5});
}

TEST_CASE("matmul: integers wrap, nothing times nothing is zero, and empty batches give empty results") {
  const schema::MatMulOptionsT o;
  const auto y = run_op(o, {tensor<int32_t>({1, 2}, {INT32_MAX, 1}), tensor<int32_t>({2, 1}, {2, 3})});
  REQUIRE_MESSAGE(y.status.is_ok(), y.status.message());
  CHECK(y.out[0].values<int32_t>() == std::vector<int32_t>{1});
  const auto big = run_op(o, {tensor<int64_t>({1, 1}, {int64_t{1} << 40}), tensor<int64_t>({1, 1}, {-3})});
  CHECK(big.out[0].values<int64_t>() == std::vector<int64_t>{-3 * (int64_t{1} << 40)});
  CHECK(run_op(o, {tensor<float>({2, 0}, {}), tensor<float>({0, 3}, {})}).out[0].values<float>() ==
        std::vector<float>(6, 0.0f));
  CHECK(run_op(o, {tensor<float>({0, 2, 3}, {}), tensor<float>({1, 3, 4}, std::vector<float>(12))})
            .out[0]
            .shape == Shape{0, 2, 4});
}

TEST_CASE("matmul: shapes that do not fit are refused") {
  const schema::MatMulOptionsT o;
  const auto a = tensor<float>({2, 3}, std::vector<float>(6));
  CHECK(run_op(o, {a, a}).status.message().find("rows of 3 against columns of 2") != std::string::npos);
  CHECK_FALSE(run_op(o, {a, tensor<float>({}, {1})}).status.is_ok());
  CHECK_FALSE(run_op(o, {a, tensor<int32_t>({3, 1}, {1, 2, 3})}).status.is_ok());
}

TEST_CASE("matmul: the number of threads does not change a bit") {
  Random r(3);
  const auto a = tensor<float>({37, 65}, r.reals(37 * 65)), b = tensor<float>({65, 41}, r.reals(65 * 41));
  OpRunSettings many;
  many.threads = 4;
  CHECK(run_op(schema::MatMulOptionsT{}, {a, b}).out[0].bytes ==
        run_op(schema::MatMulOptionsT{}, {a, b}, many).out[0].bytes);
}

TEST_CASE("matmul: 8-bit codes are multiplied exactly and requantized, with one scale or one per column") {
  Random r(4);
  for (bool per_column : {false, true}) {
    const int64_t m = 5, k = 19, n = 70;
    const auto a = r.integers<uint8_t>(m * k, 0, 255);
    const auto b = r.integers<int8_t>(k * n, -128, 127);
    TestTensor right = tensor<int8_t>({k, n}, b);
    right.scales = r.reals(per_column ? n : 1, 0.01f, 0.02f);
    right.zero_points.assign(right.scales.size(), per_column ? 0 : 5);
    right.quant_axis = 1;
    OpRunSettings settings;
    settings.declared.resize(1);
    settings.declared[0].dtype = DType::i8;
    settings.declared[0] = std::move(settings.declared[0]).quantized(0.5f, -4);
    const OpResult y =
        run_op(schema::MatMulOptionsT{}, {tensor<uint8_t>({m, k}, a).quantized(0.03f, 120), right}, settings);
    REQUIRE_MESSAGE(y.status.is_ok(), y.status.message());
    const auto codes = y.out[0].values<int8_t>();
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        int32_t acc = 0;
        const size_t s = per_column ? static_cast<size_t>(j) : 0;
        for (int64_t c = 0; c < k; ++c)
          acc += (a[static_cast<size_t>(i * k + c)] - 120) *
                 (b[static_cast<size_t>(c * n + j)] - right.zero_points[s]);
        const double want = std::nearbyint(static_cast<float>(acc) * (0.03f * right.scales[s] / 0.5f)) - 4;
        REQUIRE(codes[static_cast<size_t>(i * n + j)] == std::min(127.0, std::max(-128.0, want)));
      }
  }
}

TEST_CASE(
    "matmul_integer: rows and columns may have their own zero points, also in a batch with a common b") {
  const auto a = tensor<uint8_t>({2, 2, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  const auto b = tensor<int8_t>({3, 2}, {1, -1, 2, -2, 3, -3});
  const OpResult y = run_op(schema::MatMulIntegerOptionsT{},
                            {a, b, tensor<uint8_t>({2}, {1, 4}), tensor<int8_t>({2}, {0, 1})});
  REQUIRE_MESSAGE(y.status.is_ok(), y.status.message());
  CHECK(y.out[0].shape == Shape{2, 2, 2});
  // Rows minus zero: {0,1,2}, {0,1,2}, {6,7,8}, {6,7,8}; columns minus zero: {1,2,3}, {-2,-3,-4}.
  CHECK(y.out[0].values<int32_t>() == std::vector<int32_t>{8, -11, 8, -11, 44, -65, 44, -65});
  CHECK(run_op(schema::MatMulIntegerOptionsT{}, {a, b}).out[0].values<int32_t>()[0] == 14);
  CHECK_FALSE(
      run_op(schema::MatMulIntegerOptionsT{}, {a, b, tensor<uint8_t>({3}, {1, 2, 3})}).status.is_ok());
}

TEST_CASE("fully_connected: f32 and f16 weights match the definition across chunk edges") {
  Random r(5);
  for (int64_t k : {1, 511, 513, 1030})
    for (int64_t n : {1, 4, 6}) {
      const int64_t m = 3;
      const auto x = r.reals(m * k), bias = r.reals(n);
      auto w = r.reals(k * n);
      std::vector<uint16_t> halves;
      for (float& v : w) halves.push_back(to_f16(v).bits), v = to_float(f16{halves.back()});
      schema::FullyConnectedOptionsT o;
      const auto X = tensor<float>({1, m, k}, x), B = tensor<float>({n}, bias);
      const OpResult full = run_op(o, {X, tensor<float>({n, k}, w), B});
      const OpResult half = run_op(o, {X, tensor<uint16_t>({n, k}, halves, DType::f16), B});
      REQUIRE_MESSAGE(full.status.is_ok(), full.status.message());
      REQUIRE_MESSAGE(half.status.is_ok(), half.status.message());
      CHECK(full.out[0].shape == Shape{1, m, n});
      auto want = product(x, transposed(w, n, k), m, k, n);
      for (size_t i = 0; i < want.size(); ++i) want[i] += double{bias[i % static_cast<size_t>(n)]};
      check_close(full.out[0].values<float>(), want, k + 1);
      CHECK(half.out[0].bytes == full.out[0].bytes);
      o.clamp_min = 0;
      for (float v : run_op(o, {X, tensor<float>({n, k}, w), B}).out[0].values<float>()) CHECK(v >= 0);
    }
}

TEST_CASE("fully_connected: dynamic quantization stays within half a step of every input") {
  Random r(6);
  const int64_t m = 4, k = 100, n = 9;
  auto x = r.reals(m * k, -3, 5);
  for (size_t i = 0; i < 100; ++i) x[i] = 0;  // a constant row must not divide by zero
  const auto w = r.integers<int8_t>(n * k, -127, 127);
  TestTensor weights = tensor<int8_t>({n, k}, w);
  weights.scales = r.reals(n, 0.005f, 0.01f);
  weights.zero_points.assign(static_cast<size_t>(n), 0);
  weights.quant_axis = 0;
  const OpResult y = run_op(schema::FullyConnectedOptionsT{}, {tensor<float>({m, k}, x), weights});
  REQUIRE_MESSAGE(y.status.is_ok(), y.status.message());
  CHECK_FALSE(y.overrun);
  const auto values = y.out[0].values<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t row = i / static_cast<size_t>(n), column = i % static_cast<size_t>(n);
    double want = 0, size = 0;
    for (size_t c = 0; c < static_cast<size_t>(k); ++c) {
      const double weight = double{weights.scales[column]} * w[column * static_cast<size_t>(k) + c];
      want += double{x[row * static_cast<size_t>(k) + c]} * weight;
      size += std::fabs(weight);
    }
    // A step is at most 8 / 255; rounding the zero point may cost another half step at the ends.
    REQUIRE(std::fabs(values[i] - want) <= size * (8.0 / 255) + 1e-5);
  }
  for (size_t i = 0; i < 9; ++i) CHECK(values[i] == 0.0f);
}

TEST_CASE("fully_connected: 8-bit codes are requantized like a convolution of one pixel") {
  Random r(7);
  const int64_t m = 3, k = 33, n = 6;
  const TestTensor x = tensor<int8_t>({m, k}, r.integers<int8_t>(m * k, -128, 127)).quantized(0.02f, 11);
  TestTensor w = tensor<int8_t>({n, k}, r.integers<int8_t>(n * k, -127, 127));
  w.scales = r.reals(n, 0.01f, 0.03f);
  w.zero_points.assign(static_cast<size_t>(n), 0);
  w.quant_axis = 0;
  const TestTensor bias = tensor<int32_t>({n}, r.integers<int32_t>(n, -900, 900));
  OpRunSettings settings;
  settings.declared.resize(1);
  settings.declared[0].dtype = DType::i8;
  settings.declared[0] = std::move(settings.declared[0]).quantized(0.1f, 3);
  const OpResult fc = run_op(schema::FullyConnectedOptionsT{}, {x, w, bias}, settings);
  REQUIRE_MESSAGE(fc.status.is_ok(), fc.status.message());
  TestTensor image = x, filter = w;
  image.shape = Shape{m, 1, k};
  filter.shape = Shape{n, 1, k};
  const OpResult conv = run_op(schema::ConvOptionsT{}, {image, filter, bias}, settings);
  REQUIRE_MESSAGE(conv.status.is_ok(), conv.status.message());
  CHECK(fc.out[0].bytes == conv.out[0].bytes);
}
