// XNNPACK's convolutions against the reference: f32 within rounding, codes bit for bit.
#include "tests/backends/backend_runner.h"

namespace pith {
namespace {

struct ConvCase {
  const char* what;
  Shape x, w;
  std::vector<uint32_t> strides, pads, dilations;
  uint32_t groups = 1;
};
const ConvCase kCases[] = {
    {"1x1", {2, 5, 3, 7}, {9, 1, 1, 7}, {}, {}, {}},
    {"1x1 with stride", {1, 9, 8, 4}, {5, 1, 1, 4}, {2, 3}, {}, {}},
    {"3x3 with padding", {1, 11, 6, 5}, {13, 3, 3, 5}, {1, 1}, {1, 1, 1, 1}, {}},
    {"3x3 stride 2, lopsided padding", {2, 9, 13, 3}, {17, 3, 3, 3}, {2, 2}, {0, 1, 2, 1}, {}},
    {"dilated", {1, 12, 10, 4}, {6, 3, 2, 4}, {}, {2, 1, 2, 1}, {2, 3}},
    {"5x3 grouped", {1, 8, 9, 6}, {9, 5, 3, 2}, {1, 2}, {2, 1, 2, 1}, {}, 3},
    {"depthwise 3x3", {2, 7, 9, 19}, {19, 3, 3, 1}, {1, 1}, {1, 1, 1, 1}, {}, 19},
    {"depthwise 5x5 stride 2", {1, 11, 8, 33}, {33, 5, 5, 1}, {2, 2}, {2, 2, 2, 2}, {}, 33},
    {"depthwise 7x7", {1, 9, 9, 3}, {3, 7, 7, 1}, {}, {3, 3, 3, 3}, {}, 3},
    {"depthwise 1x1", {1, 4, 5, 21}, {21, 1, 1, 1}, {}, {}, {}, 21},
    {"depthwise, two outputs each", {1, 6, 6, 5}, {10, 3, 3, 1}, {}, {1, 1, 1, 1}, {}, 5},
    {"1-D", {3, 17, 6}, {8, 5, 6}, {2}, {2, 1}, {}},
    {"1-D depthwise", {1, 20, 9}, {9, 3, 1}, {1}, {1, 1}, {2}, 9},
};

schema::ConvOptionsT options_of(const ConvCase& c) {
  schema::ConvOptionsT o;
  o.strides = c.strides;
  o.pads = c.pads;
  o.dilations = c.dilations;
  o.groups = c.groups;
  return o;
}

// Weights of codes: i8 with zero points 0 and a scale per output, or u8 with one scale and zero point.
TestTensor code_weights(RandomTensors& random, const Shape& shape, bool is_signed) {
  if (!is_signed)
    return constant(random.integers<uint8_t>(shape, 0, 255)).quantized(random.real(0.002f, 0.02f), 119);
  TestTensor w = constant(random.integers<int8_t>(shape, -127, 127));
  w.quant_axis = 0;
  for (int64_t i = 0; i < shape[0]; ++i) {
    w.scales.push_back(random.real(0.002f, 0.02f));
    w.zero_points.push_back(0);
  }
  return w;
}

TestTensor codes(RandomTensors& random, const Shape& shape, DType type) {
  const int32_t zero = random.below(256) - (type == DType::i8 ? 128 : 0);
  TestTensor t =
      type == DType::i8 ? random.integers<int8_t>(shape, -128, 127) : random.integers<uint8_t>(shape, 0, 255);
  return std::move(t).quantized(random.real(0.01f, 0.05f), zero);
}

template <class OptionsT>
void check_codes(const ConvCase& c, OptionsT o, DType x_type, DType w_type, DType y_type, float y_scale) {
  CAPTURE(c.what);
  CAPTURE(name_of(x_type));
  CAPTURE(name_of(w_type));
  RandomTensors random(11);
  OpRunSettings settings;
  settings.declared = {codes(random, {0}, y_type)};
  settings.declared[0].scales = {y_scale};
  const TestTensor x = codes(random, c.x, x_type);
  const TestTensor w = code_weights(random, c.w, w_type == DType::i8);
  const TestTensor bias = constant(random.integers<int32_t>({c.w[0]}, -3000, 3000));
  for (bool clamp : {false, true}) {
    if (clamp) o.clamp_min = -20 * y_scale, o.clamp_max = 50.4f * y_scale;
    const Compared r = compare_backends(o, {x, w, bias}, settings);
    REQUIRE(r.taken);
    CHECK(r.max_steps == 0);
    CHECK(r.count > 0);
  }
}

template <class OptionsT>
void check_floats(const ConvCase& c, OptionsT o) {
  CAPTURE(c.what);
  RandomTensors random(12);
  const TestTensor x = random.floats(c.x), bias = constant(random.floats({c.w[0]}));
  TestTensor w = constant(random.floats(c.w));
  const Compared plain = compare_backends(o, {x, w});
  REQUIRE(plain.taken);
  // Both sum at most a few hundred products of size <= 1 in some order: 2^-24 each, doubled for FMA
  // differences.
  CHECK(plain.max_error <= 1e-5 * std::max(1.0, plain.scale));
  o.clamp_min = -0.25f, o.clamp_max = 0.5f;
  const Compared clamped = compare_backends(o, {x, w, bias});
  REQUIRE(clamped.taken);
  CHECK(clamped.max_error <= 1e-5 * std::max(1.0, plain.scale));
  CHECK(clamped.scale <= 0.5);
  TestTensor half = constant(random.integers<uint16_t>(c.w, 0x3000, 0x3bff));
  half.dtype = DType::f16;
  const Compared halves = compare_backends(o, {x, half, bias});
  REQUIRE(halves.taken);
  CHECK(halves.max_error <= 1e-5 * std::max(1.0, plain.scale));
}

}  // namespace

TEST_CASE("xnnpack f32 convolution agrees with the reference, with f32 and f16 weights") {
  for (const ConvCase& c : kCases) check_floats(c, options_of(c));
}

TEST_CASE(
    "xnnpack convolution of codes gives the reference's codes exactly, i8 and u8 in any mix with i8 "
    "weights") {
  for (const ConvCase& c : kCases)
    for (DType x : {DType::i8, DType::u8})
      for (DType y : {DType::i8, DType::u8}) check_codes(c, options_of(c), x, DType::i8, y, 0.03f);
}

TEST_CASE("xnnpack convolution of u8 codes with u8 weights gives the reference's codes exactly") {
  for (const ConvCase& c : kCases) check_codes(c, options_of(c), DType::u8, DType::u8, DType::u8, 0.05f);
}

TEST_CASE("u8 weights that fit i8 around their zero point take the faster i8 kernels, exactly") {
  RandomTensors random(15);
  const ConvCase& c = kCases[2];
  OpRunSettings settings;
  settings.declared = {codes(random, {0}, DType::u8)};
  settings.declared[0].scales = {0.05f};
  const TestTensor x = codes(random, c.x, DType::u8);
  for (const int zero : {128, 40}) {
    TestTensor w = constant(random.integers<uint8_t>(c.w, zero == 128 ? 0 : 3, zero == 128 ? 255 : 160));
    w = std::move(w).quantized(0.01f, zero);
    const Compared r = compare_backends(options_of(c), {x, w}, settings);
    REQUIRE(r.taken);
    CHECK(r.xnnpack.kernel == "xnn_conv_qs8_qc8w");
    CHECK(r.max_steps == 0);
  }
  TestTensor channels = constant(random.integers<uint8_t>(c.w, 100, 200));  // zero points per channel, too
  channels.quant_axis = 0;
  for (int64_t i = 0; i < c.w[0]; ++i) {
    channels.scales.push_back(0.01f);
    channels.zero_points.push_back(static_cast<int32_t>(100 + i));
  }
  const Compared r = compare_backends(options_of(c), {x, channels}, settings);
  REQUIRE(r.taken);
  CHECK(r.max_steps == 0);
}

TEST_CASE("xnnpack convolution declines what it cannot do") {
  RandomTensors random(13);
  schema::ConvOptionsT o;
  const TestTensor x = random.floats({1, 2, 5, 5, 3}), w = constant(random.floats({4, 1, 3, 3, 3}));
  CHECK_FALSE(compare_backends(o, {x, w}).taken);  // 3-D
  const TestTensor flat = random.floats({1, 5, 5, 3});
  TestTensor varying = random.floats({4, 3, 3, 3});
  varying.has_value = false;
  CHECK_FALSE(compare_backends(o, {flat, varying}).taken);
  TestTensor lopsided = constant(random.integers<int8_t>({4, 3, 3, 3}, -128, 127)).quantized(0.01f, 3);
  OpRunSettings settings;
  settings.declared = {codes(random, {0}, DType::i8)};
  CHECK_FALSE(compare_backends(o, {codes(random, {1, 5, 5, 3}, DType::i8), lopsided}, settings).taken);
}

TEST_CASE("xnnpack convolution gives the same bits with one and two threads") {
  // Large enough for XNNPACK to be given the pool; the last runs on one thread in any case.
  const ConvCase cases[] = {{"3x3", {1, 40, 40, 16}, {37, 3, 3, 16}, {}, {1, 1, 1, 1}, {}},
                            {"1x1", {2, 30, 31, 24}, {50, 1, 1, 24}, {}, {}, {}},
                            {"depthwise", {1, 64, 64, 40}, {40, 3, 3, 1}, {}, {1, 1, 1, 1}, {}, 40},
                            kCases[0]};
  for (const ConvCase& c : cases) {
    CAPTURE(c.what);
    RandomTensors random(14);
    const TestTensor x = random.floats(c.x), w = constant(random.floats(c.w));
    OpRunSettings settings;
    settings.prepare = prepare_xnnpack;
    const OpResult one = run_op(options_of(c), {x, w}, settings);
    settings.threads = 2;
    const OpResult two = run_op(options_of(c), {x, w}, settings);
    REQUIRE(one.status.is_ok());
    REQUIRE(two.status.is_ok());
    CHECK(one.out[0].bytes == two.out[0].bytes);
  }
}

TEST_CASE("xnnpack transposed convolution agrees with the reference") {
  const ConvCase cases[] = {
      {"2x2 stride 2", {1, 4, 5, 6}, {7, 2, 2, 6}, {2, 2}, {}, {}},
      {"3x3 stride 2 with padding", {2, 5, 4, 3}, {5, 3, 3, 3}, {2, 2}, {1, 1, 1, 1}, {}},
      {"4x3, lopsided", {1, 6, 3, 4}, {6, 4, 3, 2}, {3, 1}, {1, 0, 2, 1}, {}, 2},
      {"dilated", {1, 5, 5, 4}, {3, 3, 3, 4}, {}, {}, {2, 2}},
      {"1-D", {2, 7, 3}, {4, 5, 3}, {2}, {1, 2}, {}},
  };
  for (const ConvCase& c : cases) {
    schema::ConvTransposeOptionsT o;
    o.strides = c.strides;
    o.pads = c.pads;
    o.dilations = c.dilations;
    o.groups = c.groups;
    check_floats(c, o);
    check_codes(c, o, DType::i8, DType::i8, DType::i8, 0.03f);
    check_codes(c, o, DType::u8, DType::i8, DType::u8, 0.03f);
    check_codes(c, o, DType::u8, DType::u8, DType::u8, 0.05f);
    if (c.strides.empty()) continue;
    o.output_pads = c.strides;
    for (uint32_t& p : o.output_pads) --p;
    check_floats(c, o);
  }
}

}  // namespace pith
