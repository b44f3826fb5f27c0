// ConvTranspose against the definition by scattering, which the operator does not use.
#include <doctest/doctest.h>

#include <cmath>

#include "kernels/base/float16.h"
#include "tests/support/op_runner.h"
#include "tests/support/random_values.h"

using namespace pith;
using test::Random;

namespace {
struct Case {  // one 1-D layer of `groups` groups
  int64_t in, c, o, k, stride, dilation, pad_begin, pad_end, extra, groups;
  int64_t out() const { return (in - 1) * stride + (k - 1) * dilation + 1 - pad_begin - pad_end + extra; }
};
// Adds every input to every output it reaches: f(x index, w index) are the products.
template <class F>
std::vector<double> scatter(const Case& a, F&& product) {
  std::vector<double> y(static_cast<size_t>(a.out() * a.o));
  const int64_t depth = a.c / a.groups, outputs = a.o / a.groups;
  for (int64_t i = 0; i < a.in; ++i)
    for (int64_t t = 0; t < a.k; ++t) {
      const int64_t at = i * a.stride - a.pad_begin + t * a.dilation;
      if (at < 0 || at >= a.out()) continue;
      for (int64_t o = 0; o < a.o; ++o)
        for (int64_t c = 0; c < depth; ++c)
          y[static_cast<size_t>(at * a.o + o)] +=
              product(i * a.c + o / outputs * depth + c, (o * a.k + t) * depth + c);
    }
  return y;
}
schema::ConvTransposeOptionsT options(const Case& a) {
  schema::ConvTransposeOptionsT o;
  o.strides = {static_cast<uint32_t>(a.stride)};
  o.dilations = {static_cast<uint32_t>(a.dilation)};
  o.pads = {static_cast<uint32_t>(a.pad_begin), static_cast<uint32_t>(a.pad_end)};
  o.output_pads = {static_cast<uint32_t>(a.extra)};
  o.groups = static_cast<uint32_t>(a.groups);
  return o;
}
const Case kCases[] = {{5, 3, 2, 3, 1, 1, 0, 0, 0, 1},
                       {4, 2, 5, 3, 2, 1, 1, 1, 1, 1},
                       {4, 4, 6, 2, 3, 2, 1, 0, 2, 2},
                       {3, 6, 6, 4, 2, 1, 3, 2, 0, 6},
                       {1, 1, 1, 1, 5, 1, 0, 0, 3, 1}};
}  // namespace

TEST_CASE("conv_transpose: f32 and f16 weights match the definition") {
  Random r(1);
  for (const Case& a : kCases) {
    const auto x = r.reals(a.in * a.c), bias = r.reals(a.o);
    auto w = r.reals(a.o * a.k * a.c / a.groups);
    std::vector<uint16_t> halves;
    for (float& v : w) halves.push_back(to_f16(v).bits), v = to_float(f16{halves.back()});
    const Shape ws{a.o, a.k, a.c / a.groups};
    const auto X = tensor<float>({1, a.in, a.c}, x), B = tensor<float>({a.o}, bias);
    const OpResult y = run_op(options(a), {X, tensor<float>(ws, w), B});
    REQUIRE_MESSAGE(y.status.is_ok(), y.status.message());
    REQUIRE(y.out[0].shape == Shape{1, a.out(), a.o});
    const auto want = scatter(a, [&](int64_t i, int64_t j) {
      return double{x[static_cast<size_t>(i)]} * double{w[static_cast<size_t>(j)]};
    });
    const auto got = y.out[0].values<float>();
    for (size_t i = 0; i < got.size(); ++i)
      REQUIRE(std::fabs(got[i] - want[i] - double{bias[i % bias.size()]}) < 32 * 32 * 0x1p-24);
    const OpResult half = run_op(options(a), {X, tensor<uint16_t>(ws, halves, DType::f16), B});
    REQUIRE_MESSAGE(half.status.is_ok(), half.status.message());
    CHECK(half.out[0].bytes == y.out[0].bytes);
  }
}

TEST_CASE("conv_transpose: 8-bit codes give the requantized exact sums") {
  Random r(2);
  for (const Case& a : kCases) {
    const auto x = r.integers<int8_t>(a.in * a.c, -128, 127),
               w = r.integers<int8_t>(a.o * a.k * a.c / a.groups, -127, 127);
    TestTensor weights = tensor<int8_t>({a.o, a.k, a.c / a.groups}, w);
    weights.scales = r.reals(a.o, 0.01f, 0.02f);
    weights.zero_points.assign(weights.scales.size(), 0);
    weights.quant_axis = 0;
    OpRunSettings settings;
    settings.declared.resize(1);
    settings.declared[0].dtype = DType::i8;
    settings.declared[0] = std::move(settings.declared[0]).quantized(0.2f, 9);
    const OpResult y =
        run_op(options(a), {tensor<int8_t>({1, a.in, a.c}, x).quantized(0.04f, -5), weights}, settings);
    REQUIRE_MESSAGE(y.status.is_ok(), y.status.message());
    const auto sums = scatter(a, [&](int64_t i, int64_t j) {
      return (x[static_cast<size_t>(i)] + 5.0) * w[static_cast<size_t>(j)];
    });
    const auto got = y.out[0].values<int8_t>();
    for (size_t i = 0; i < got.size(); ++i) {
      const float scale = 0.04f * weights.scales[i % weights.scales.size()] / 0.2f;
      const double code = std::nearbyint(static_cast<float>(sums[i]) * scale) + 9;
      REQUIRE(got[i] == std::min(127.0, std::max(-128.0, code)));
    }
  }
}

TEST_CASE("conv_transpose: pads larger than the result and hostile options are refused") {
  schema::ConvTransposeOptionsT o;
  const auto x = tensor<float>({1, 2, 1}, {1, 2}), w = tensor<float>({1, 2, 1}, {1, 1});
  o.pads = {2, 2};
  CHECK(run_op(o, {x, w}).status.message().find("larger than its 3 outputs") != std::string::npos);
  o.pads = {};
  o.output_pads = {0xffffffffu};
  CHECK_FALSE(run_op(o, {x, w}).status.is_ok());
  o.output_pads = {1, 1};
  CHECK_FALSE(run_op(o, {x, w}).status.is_ok());
  o.output_pads = {};
  o.groups = 3;
  CHECK_FALSE(run_op(o, {x, w}).status.is_ok());
}
