// Conv and ConvInteger against sums written straight from the definition, over random geometries.
#include <doctest/doctest.h>

#include <cmath>

#include "kernels/base/float16.h"
#include "kernels/base/requant.h"
#include "tests/support/op_runner.h"
#include "tests/support/random_values.h"

using namespace pith;
using test::Random;

namespace {

struct Case {  // one 2-D convolution
  int64_t n, h, w, c, o, kh, kw;
  uint32_t groups, stride[2], dilation[2], pads[4];
  int64_t out_h() const { return (h + pads[0] + pads[2] - (kh - 1) * dilation[0] - 1) / stride[0] + 1; }
  int64_t out_w() const { return (w + pads[1] + pads[3] - (kw - 1) * dilation[1] - 1) / stride[1] + 1; }
  Shape x() const { return {n, h, w, c}; }
  Shape weights() const { return {o, kh, kw, c / groups}; }
  schema::ConvOptionsT options() const {
    schema::ConvOptionsT t;
    t.strides = {stride[0], stride[1]};
    t.dilations = {dilation[0], dilation[1]};
    t.pads = {pads[0], pads[1], pads[2], pads[3]};
    t.groups = groups;
    return t;
  }
};

Case random_case(Random& r) {
  Case k{};
  const auto small = [&](int64_t lo, int64_t hi) { return static_cast<uint32_t>(r.integer(lo, hi)); };
  k.n = r.integer(1, 2);
  k.kh = r.integer(1, 3), k.kw = r.integer(1, 4);
  for (auto& s : k.stride) s = small(1, 3);
  for (auto& d : k.dilation) d = small(1, 2);
  for (auto& p : k.pads) p = small(0, 3);
  k.h = r.integer(6, 9), k.w = r.integer(7, 10);
  switch (r.integer(0, 3)) {
    case 0:  // depthwise
      k.groups = small(1, 70), k.c = k.o = k.groups;
      break;
    case 1:
      k.groups = small(1, 3), k.c = k.groups * r.integer(1, 5), k.o = k.groups * r.integer(1, 5);
      break;
    default:
      k.groups = 1, k.c = r.integer(1, 9), k.o = r.integer(1, 9);
  }
  return k;
}

// Sum over the taps of f(x index, w index) for every y element, in y order.
template <class F>
std::vector<double> direct(const Case& k, F&& f) {
  std::vector<double> y;
  const int64_t depth = k.c / k.groups, outputs = k.o / k.groups;
  for (int64_t n = 0; n < k.n; ++n)
    for (int64_t i = 0; i < k.out_h(); ++i)
      for (int64_t j = 0; j < k.out_w(); ++j)
        for (int64_t o = 0; o < k.o; ++o) {
          double sum = 0;
          for (int64_t a = 0; a < k.kh; ++a)
            for (int64_t b = 0; b < k.kw; ++b) {
              const int64_t row = i * k.stride[0] - k.pads[0] + a * k.dilation[0];
              const int64_t column = j * k.stride[1] - k.pads[1] + b * k.dilation[1];
              if (row < 0 || row >= k.h || column < 0 || column >= k.w) continue;
              for (int64_t c = 0; c < depth; ++c)
                sum += f(((n * k.h + row) * k.w + column) * k.c + o / outputs * depth + c,
                         ((o * k.kh + a) * k.kw + b) * depth + c, o);
            }
          y.push_back(sum);
        }
  return y;
}

}  // namespace

TEST_CASE("conv: f32 matches the definition for random strides, pads, dilations and groups") {
  Random r(1);
  for (int trial = 0; trial < 60; ++trial) {
    const Case k = random_case(r);
    const auto x = r.reals(k.x().count()), w = r.reals(k.weights().count()), bias = r.reals(k.o);
    OpRunSettings settings;
    settings.threads = 1 + static_cast<size_t>(trial % 2);
    const OpResult got = run_op(
        k.options(), {tensor<float>(k.x(), x), tensor<float>(k.weights(), w), tensor<float>({k.o}, bias)},
        settings);
    REQUIRE_MESSAGE(got.status.is_ok(), got.status.message());
    CHECK_FALSE(got.overrun);
    REQUIRE(got.out[0].shape == Shape{k.n, k.out_h(), k.out_w(), k.o});
    const auto want = direct(k, [&](int64_t xi, int64_t wi, int64_t) {
      return double{x[static_cast<size_t>(xi)]} * double{w[static_cast<size_t>(wi)]};
    });
    const auto y = got.out[0].values<float>();
    // Terms are at most 1 in size: (terms + 3) rounding errors of 2^-24 times the sum of their sizes.
    const double terms = static_cast<double>(k.kh * k.kw * (k.c / k.groups)) + 1;
    for (size_t i = 0; i < y.size(); ++i) {
      const double exact = want[i] + double{bias[i % static_cast<size_t>(k.o)]};
      REQUIRE(std::fabs(y[i] - exact) <= (terms + 3) * terms * 0x1p-24);
    }
  }
}

TEST_CASE("conv: f16 weights give exactly what the same weights in f32 give") {
  Random r(2);
  for (int trial = 0; trial < 20; ++trial) {
    const Case k = random_case(r);
    const auto x = r.reals(k.x().count());
    std::vector<float> w = r.reals(k.weights().count());
    std::vector<uint16_t> halves;
    for (float& v : w) {
      halves.push_back(to_f16(v).bits);
      v = to_float(f16{halves.back()});
    }
    const OpResult full = run_op(k.options(), {tensor<float>(k.x(), x), tensor<float>(k.weights(), w)});
    const OpResult half =
        run_op(k.options(), {tensor<float>(k.x(), x), tensor<uint16_t>(k.weights(), halves, DType::f16)});
    REQUIRE_MESSAGE(half.status.is_ok(), half.status.message());
    CHECK(half.out[0].values<float>() == full.out[0].values<float>());
  }
}

TEST_CASE("conv: the clamp bounds the result") {
  schema::ConvOptionsT o;
  o.clamp_min = 0;
  o.clamp_max = 6;
  const OpResult r = run_op(o, {tensor<float>({1, 3, 1}, {-1, 2, 9}), tensor<float>({1, 1, 1}, {1})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].values<float>() == std::vector<float>{0, 2, 6});
}

TEST_CASE(
    "conv: 8-bit codes give the requantized exact sums, per tensor and per channel, signed and unsigned") {
  Random r(3);
  for (int trial = 0; trial < 60; ++trial) {
    const Case k = random_case(r);
    const bool unsigned_x = trial % 2 != 0, per_channel = trial % 3 != 0, unsigned_y = trial % 5 == 0;
    const int32_t x_zero = static_cast<int32_t>(unsigned_x ? r.integer(0, 255) : r.integer(-128, 127));
    const int32_t y_zero = static_cast<int32_t>(unsigned_y ? r.integer(0, 255) : r.integer(-128, 127));
    const auto codes = r.integers<int32_t>(k.x().count(), unsigned_x ? 0 : -128, unsigned_x ? 255 : 127);
    const auto w = r.integers<int8_t>(k.weights().count(), -128, 127);
    const auto bias = r.integers<int32_t>(k.o, -3000, 3000);
    TestTensor x = unsigned_x ? tensor<uint8_t>(k.x(), {codes.begin(), codes.end()})
                              : tensor<int8_t>(k.x(), {codes.begin(), codes.end()});
    TestTensor weights = tensor<int8_t>(k.weights(), w);
    const size_t channels = per_channel ? static_cast<size_t>(k.o) : 1;
    weights.scales = r.reals(static_cast<int64_t>(channels), 0.01f, 0.02f);
    weights.zero_points = per_channel ? std::vector<int32_t>(channels, 0) : std::vector<int32_t>{-7};
    weights.quant_axis = 0;
    OpRunSettings settings;
    settings.declared.resize(1);
    settings.declared[0].dtype = unsigned_y ? DType::u8 : DType::i8;
    settings.declared[0] = std::move(settings.declared[0]).quantized(0.3f, y_zero);
    schema::ConvOptionsT options = k.options();
    options.clamp_max = 20;
    const OpResult got = run_op(
        options, {std::move(x).quantized(0.05f, x_zero), weights, tensor<int32_t>({k.o}, bias)}, settings);
    REQUIRE_MESSAGE(got.status.is_ok(), got.status.message());
    const auto sums = direct(k, [&](int64_t xi, int64_t wi, int64_t o) {
      const int32_t wz = weights.zero_points[per_channel ? static_cast<size_t>(o) : 0];
      return static_cast<double>((codes[static_cast<size_t>(xi)] - x_zero) *
                                 (w[static_cast<size_t>(wi)] - wz));
    });
    const int32_t lo = unsigned_y ? 0 : -128, top = unsigned_y ? 255 : 127;
    const int32_t hi = std::min<int32_t>(top, static_cast<int32_t>(std::nearbyint(20.0f / 0.3f)) + y_zero);
    for (size_t i = 0; i < sums.size(); ++i) {
      const size_t o = i % static_cast<size_t>(k.o);
      const float scale = 0.05f * weights.scales[per_channel ? o : 0] / 0.3f;
      const auto acc = static_cast<float>(static_cast<int32_t>(sums[i]) + bias[o]);
      const double want = std::nearbyint(acc * scale) + y_zero;
      const auto code =
          unsigned_y ? int32_t{got.out[0].values<uint8_t>()[i]} : int32_t{got.out[0].values<int8_t>()[i]};
      REQUIRE(code == static_cast<int32_t>(std::min<double>(std::max<double>(want, lo), hi)));
    }
  }
}

TEST_CASE("conv_integer: sums are exact, with zero points as tensors") {
  Random r(4);
  for (int trial = 0; trial < 20; ++trial) {
    const Case k = random_case(r);
    const auto x = r.integers<uint8_t>(k.x().count(), 0, 255);
    const auto w = r.integers<int8_t>(k.weights().count(), -128, 127),
               w_zero = r.integers<int8_t>(k.o, -9, 9);
    schema::ConvIntegerOptionsT o;
    const schema::ConvOptionsT c = k.options();
    o.strides = c.strides, o.pads = c.pads, o.dilations = c.dilations, o.groups = c.groups;
    const OpResult got = run_op(o, {tensor<uint8_t>(k.x(), x), tensor<int8_t>(k.weights(), w),
                                    tensor<uint8_t>({}, {99}), tensor<int8_t>({k.o}, w_zero)});
    REQUIRE_MESSAGE(got.status.is_ok(), got.status.message());
    const auto sums = direct(k, [&](int64_t xi, int64_t wi, int64_t oc) {
      return static_cast<double>((x[static_cast<size_t>(xi)] - 99) *
                                 (w[static_cast<size_t>(wi)] - w_zero[static_cast<size_t>(oc)]));
    });
    const auto y = got.out[0].values<int32_t>();
    for (size_t i = 0; i < y.size(); ++i) REQUIRE(y[i] == static_cast<int32_t>(sums[i]));
  }
}

TEST_CASE("conv: three spatial dims and one are the same operator") {
  Random r(5);
  const auto x = r.reals(1 * 4 * 3), w = r.reals(2 * 3 * 3);
  schema::ConvOptionsT one, three;
  one.pads = {1, 1};
  three.pads = {0, 0, 1, 0, 0, 1};
  const OpResult a = run_op(one, {tensor<float>({1, 4, 3}, x), tensor<float>({2, 3, 3}, w)});
  const OpResult b = run_op(three, {tensor<float>({1, 1, 1, 4, 3}, x), tensor<float>({2, 1, 1, 3, 3}, w)});
  REQUIRE_MESSAGE(a.status.is_ok(), a.status.message());
  REQUIRE_MESSAGE(b.status.is_ok(), b.status.message());
  CHECK(a.out[0].values<float>() == b.out[0].values<float>());
}

TEST_CASE("conv: hostile or mismatched options are refused with a reason") {
  const auto x = tensor<float>({1, 4, 4, 2}, std::vector<float>(32)),
             w = tensor<float>({2, 3, 3, 2}, std::vector<float>(36));
  schema::ConvOptionsT o;
  CHECK(run_op(o, {x, w}).status.is_ok());
  o.strides = {0, 1};
  CHECK(run_op(o, {x, w}).status.message().find("strides") != std::string::npos);
  o.strides = {1, 1, 1};
  CHECK(run_op(o, {x, w}).status.message().find("expected 2") != std::string::npos);
  o.strides = {1, 1};
  o.pads = {0, 0, 0xffffffffu, 0};
  CHECK(run_op(o, {x, w}).status.message().find("pads") != std::string::npos);
  o.pads = {};
  o.groups = 0;
  CHECK(run_op(o, {x, w}).status.message().find("groups") != std::string::npos);
  o.groups = 2;
  CHECK(run_op(o, {x, w}).status.message().find("do not fit") != std::string::npos);
  o.groups = 1;
  o.dilations = {2, 2};
  CHECK(run_op(o, {x, w}).status.message().find("covers 5 inputs") != std::string::npos);
  o.dilations = {};
  CHECK(run_op(o, {x, w, tensor<float>({3}, {1, 2, 3})}).status.message().find("bias") != std::string::npos);
  const auto codes = tensor<int8_t>({1, 4, 4, 2}, std::vector<int8_t>(32));
  CHECK(run_op(o, {codes, tensor<int8_t>({2, 3, 3, 2}, std::vector<int8_t>(36))})
            .status.message()
            .find("no scale") != std::string::npos);
}

TEST_CASE("conv: unknown dims stay unknown while planning") {
  schema::ConvOptionsT o;
  TestTensor x;
  x.dtype = DType::f32;
  x.shape = Shape{kUnknownDim, kUnknownDim, 8, 2};
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(schema::ConvOptions::Pack(builder, &o));
  TensorView in, w, out;
  in.dtype = w.dtype = DType::f32;
  in.shape = x.shape;
  w.shape = Shape{5, 3, 3, 2};
  TensorView* inputs[] = {&in, &w};
  TensorView* outputs[] = {&out};
  NodeView node;
  node.op = schema::Op::ConvOptions;
  node.options = flatbuffers::GetRoot<schema::ConvOptions>(builder.GetBufferPointer());
  node.inputs = inputs;
  node.outputs = outputs;
  REQUIRE(find_op(schema::Op::ConvOptions)->infer(node).is_ok());
  CHECK(out.shape == Shape{kUnknownDim, kUnknownDim, 6, 5});
  in.shape = Shape::unknown_rank();
  REQUIRE(find_op(schema::Op::ConvOptions)->infer(node).is_ok());
  CHECK(out.shape == Shape::unknown_rank());
}
