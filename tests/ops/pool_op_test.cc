// Pool against values worked out by hand and against the definition.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"
#include "tests/support/random_values.h"

using namespace pith;
using schema::PoolKind;

namespace {
schema::PoolOptionsT pool(PoolKind kind, std::vector<uint32_t> kernel) {
  schema::PoolOptionsT o;
  o.kind = kind;
  o.kernel = std::move(kernel);
  return o;
}
std::vector<float> ramp(int64_t n) {
  std::vector<float> v;
  for (int64_t i = 0; i < n; ++i) v.push_back(static_cast<float>(i + 1));
  return v;
}
}  // namespace

TEST_CASE("pool: max and its positions count channels first") {
  auto o = pool(PoolKind::max, {2, 2});
  o.strides = {2, 2};
  OpRunSettings settings;
  settings.outputs = 2;
  // Two channels of a 4 x 4 image: channel 0 is 1..16, channel 1 is its negative.
  std::vector<float> x;
  for (float v : ramp(16)) x.push_back(v), x.push_back(-v);
  const OpResult r = run_op(o, {tensor<float>({1, 4, 4, 2}, x)}, settings);
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].values<float>() == std::vector<float>{6, -1, 8, -3, 14, -9, 16, -11});
  CHECK(r.out[1].values<int64_t>() == std::vector<int64_t>{5, 16, 7, 18, 13, 24, 15, 26});
  o.column_major_indices = true;
  const OpResult c = run_op(o, {tensor<float>({1, 4, 4, 2}, x)}, settings);
  CHECK(c.out[1].values<int64_t>() == std::vector<int64_t>{5, 16, 13, 24, 7, 18, 15, 26});
}

TEST_CASE("pool: ceil mode keeps a partial window and drops one that begins in the end padding") {
  auto o = pool(PoolKind::max, {3});
  o.strides = {2};
  o.ceil_mode = true;
  CHECK(run_op(o, {tensor<float>({1, 6, 1}, ramp(6))}).out[0].values<float>() == std::vector<float>{3, 5, 6});
  o = pool(PoolKind::max, {1});
  o.strides = {2};
  o.ceil_mode = true;
  // Room 1, stride 2: the second window would begin at 2, outside the input.
  CHECK(run_op(o, {tensor<float>({1, 2, 1}, {1, 2})}).out[0].values<float>() == std::vector<float>{1});
}

TEST_CASE("pool: the average counts padding only when asked, and never beyond it") {
  auto o = pool(PoolKind::average, {3});
  o.strides = {2};
  o.pads = {1, 1};
  o.ceil_mode = true;
  const auto x = tensor<float>({1, 4, 1}, {3, 6, 9, 12});
  CHECK(run_op(o, {x}).out[0].values<float>() == std::vector<float>{4.5f, 9, 12});
  o.count_include_pad = true;  // windows 0 3 6 | 6 9 12 | 12 0 and one place that does not exist
  CHECK(run_op(o, {x}).out[0].values<float>() == std::vector<float>{3, 9, 6});
}

TEST_CASE("pool: dilated windows skip pixels; lp pools p-norms") {
  auto o = pool(PoolKind::average, {2});
  o.dilations = {3};
  CHECK(run_op(o, {tensor<float>({1, 5, 1}, ramp(5))}).out[0].values<float>() ==
        std::vector<float>{2.5f, 3.5f});
  auto l = pool(PoolKind::lp, {2});
  l.strides = {2};
  const auto x = tensor<float>({1, 4, 1}, {3, -4, 1, 2});
  CHECK(run_op(l, {x}).out[0].values<float>() == std::vector<float>{5, std::sqrt(5.0f)});
  l.p = 1;
  CHECK(run_op(l, {x}).out[0].values<float>() == std::vector<float>{7, 3});
  l.p = 3;
  CHECK(run_op(l, {x}).out[0].values<float>()[1] == doctest::Approx(std::cbrt(9.0)));
}

TEST_CASE("pool: NaN wins a maximum, also when positions are asked for") {
  const float nan = std::nanf("");
  OpRunSettings settings;
  settings.outputs = 2;
  const auto o = pool(PoolKind::max, {3});
  const OpResult r = run_op(o, {tensor<float>({1, 3, 1}, {5, nan, 7})}, settings);
  CHECK(std::isnan(r.out[0].values<float>()[0]));
  CHECK(r.out[1].values<int64_t>()[0] == 1);
  CHECK(std::isnan(run_op(o, {tensor<float>({1, 3, 1}, {nan, 5, 7})}).out[0].values<float>()[0]));
}

TEST_CASE("pool: codes are pooled as the real numbers they stand for") {
  const auto x = tensor<uint8_t>({1, 4, 1}, {10, 20, 200, 255});
  CHECK(run_op(pool(PoolKind::max, {4}), {x}).out[0].values<uint8_t>() == std::vector<uint8_t>{255});
  OpRunSettings settings;
  settings.declared.resize(1);
  settings.declared[0].dtype = DType::u8;
  settings.declared[0] = std::move(settings.declared[0]).quantized(0.25f, 7);
  auto o = pool(PoolKind::average, {2});
  o.strides = {2};
  const OpResult r =
      run_op(o, {tensor<uint8_t>({1, 4, 1}, {10, 20, 200, 255}).quantized(0.5f, 12)}, settings);
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  // (-2 + 8) / 2 * 0.5 = 1.5 = 6 steps; (188 + 243) / 2 * 0.5 saturates.
  CHECK(r.out[0].values<uint8_t>() == std::vector<uint8_t>{13, 255});
  CHECK_FALSE(run_op(pool(PoolKind::average, {2}), {x}).status.is_ok());
}

TEST_CASE("pool: wide tensors match the definition in every channel") {
  test::Random r(9);
  const int64_t h = 7, w = 6, c = 130;
  const auto x = r.reals(h * w * c);
  auto o = pool(PoolKind::average, {3, 2});
  o.strides = {2, 1};
  o.pads = {1, 0, 1, 1};
  OpRunSettings settings;
  settings.threads = 3;
  const OpResult got = run_op(o, {tensor<float>({1, h, w, c}, x)}, settings);
  REQUIRE_MESSAGE(got.status.is_ok(), got.status.message());
  REQUIRE(got.out[0].shape == Shape{1, 4, 6, c});
  const auto y = got.out[0].values<float>();
  for (int64_t i = 0; i < 4; ++i)
    for (int64_t j = 0; j < 6; ++j)
      for (int64_t k = 0; k < c; ++k) {
        double sum = 0, taps = 0;
        for (int64_t a = i * 2 - 1; a < i * 2 + 2; ++a)
          for (int64_t b = j; b < j + 2; ++b)
            if (a >= 0 && a < h && b < w) sum += double{x[static_cast<size_t>((a * w + b) * c + k)]}, ++taps;
        REQUIRE(y[static_cast<size_t>((i * 6 + j) * c + k)] == doctest::Approx(sum / taps).epsilon(1e-5));
      }
}

TEST_CASE("pool: hostile options are refused") {
  const auto x = tensor<float>({1, 4, 1}, ramp(4));
  CHECK_FALSE(run_op(pool(PoolKind::max, {}), {x}).status.is_ok());
  CHECK_FALSE(run_op(pool(PoolKind::max, {0}), {x}).status.is_ok());
  CHECK_FALSE(run_op(pool(PoolKind::max, {2, 2}), {x}).status.is_ok());
  CHECK_FALSE(run_op(pool(PoolKind::max, {0xffffffffu}), {x}).status.is_ok());
  CHECK_FALSE(run_op(pool(PoolKind::max, {5}), {x}).status.is_ok());
  CHECK_FALSE(run_op(pool(static_cast<PoolKind>(9), {2}), {x}).status.is_ok());
  auto o = pool(PoolKind::lp, {2});
  o.p = 0;
  CHECK_FALSE(run_op(o, {x}).status.is_ok());
}
