// XNNPACK's fully connected layers and matrix products against the reference.
#include "tests/backends/backend_runner.h"

namespace pith {
namespace {

struct Extents {
  int64_t rows, k, n;
};
const Extents kExtents[] = {{1, 1, 1}, {1, 7, 33}, {3, 64, 10}, {5, 130, 17}, {17, 31, 5}};

TestTensor channel_codes(RandomTensors& random, const Shape& shape, int axis) {
  TestTensor w = constant(random.integers<int8_t>(shape, -127, 127));
  w.quant_axis = axis;
  for (int64_t i = 0; i < shape[axis]; ++i) {
    w.scales.push_back(random.real(0.002f, 0.02f));
    w.zero_points.push_back(0);
  }
  return w;
}

}  // namespace

TEST_CASE("xnnpack f32 fully connected agrees with the reference, with f32 and f16 weights") {
  RandomTensors random(21);
  for (const Extents& e : kExtents) {
    schema::FullyConnectedOptionsT o;
    o.clamp_min = -2;
    const TestTensor x = random.floats({2, e.rows, e.k}), bias = constant(random.floats({e.n}));
    const Compared plain = compare_backends(o, {x, constant(random.floats({e.n, e.k})), bias});
    REQUIRE(plain.taken);
    CHECK(plain.max_error <= 1e-5 * std::max(1.0, plain.scale));
    TestTensor half = constant(random.integers<uint16_t>({e.n, e.k}, 0x3000, 0x3bff));
    half.dtype = DType::f16;
    const Compared halves = compare_backends(o, {x, half});
    REQUIRE(halves.taken);
    CHECK(halves.max_error <= 1e-5 * std::max(1.0, halves.scale));
  }
}

TEST_CASE("xnnpack fully connected of codes gives the reference's codes exactly") {
  RandomTensors random(22);
  for (const Extents& e : kExtents)
    for (DType x_type : {DType::i8, DType::u8})
      for (DType y_type : {DType::i8, DType::u8}) {
        schema::FullyConnectedOptionsT o;
        OpRunSettings settings;
        settings.declared = {TestTensor{}};
        settings.declared[0].dtype = y_type;
        settings.declared[0].scales = {0.04f};
        settings.declared[0].zero_points = {4};
        TestTensor x = x_type == DType::i8 ? random.integers<int8_t>({e.rows, e.k}, -128, 127)
                                           : random.integers<uint8_t>({e.rows, e.k}, 0, 255);
        x = std::move(x).quantized(0.02f, 11);
        const TestTensor bias = constant(random.integers<int32_t>({e.n}, -2000, 2000));
        const Compared r = compare_backends(o, {x, channel_codes(random, {e.n, e.k}, 0), bias}, settings);
        REQUIRE(r.taken);
        CHECK(r.max_steps == 0);
        if (x_type == DType::i8 || y_type == DType::i8) continue;
        const TestTensor w = constant(random.integers<uint8_t>({e.n, e.k}, 0, 255)).quantized(0.01f, 130);
        const Compared u = compare_backends(o, {x, w, bias}, settings);
        REQUIRE(u.taken);
        CHECK(u.max_steps == 0);
      }
}

TEST_CASE("xnnpack fully connected quantizes rows on the way as the reference does") {
  RandomTensors random(23);
  for (const Extents& e : kExtents) {
    schema::FullyConnectedOptionsT o;
    const TestTensor x = random.floats({e.rows, e.k}, -1, 3), bias = constant(random.floats({e.n}));
    const Compared r = compare_backends(o, {x, channel_codes(random, {e.n, e.k}, 0), bias});
    REQUIRE(r.taken);
    // A code of x may round the other way: one step of 4/255 times a weight of up to 2.54, for each of few
    // codes.
    CHECK(r.max_error <= 0.003 * std::max(1.0, r.scale));
  }
}

TEST_CASE("xnnpack matrix products agree with the reference, constant or not, batched and broadcast") {
  RandomTensors random(24);
  const std::pair<Shape, Shape> shapes[] = {
      {{5, 7}, {7, 9}},
      {{2, 3, 5, 7}, {7, 33}},
      {{2, 3, 5, 7}, {2, 3, 7, 4}},
      {{1, 3, 5, 7}, {2, 1, 7, 4}},
      {{1, 64}, {64, 70}},
      {{4, 1, 16}, {4, 16, 20}},
  };
  for (const auto& [a, b] : shapes)
    for (bool fixed : {false, true})
      for (bool transpose : {false, true}) {
        Shape bt = b;
        if (transpose) std::swap(bt[b.rank() - 1], bt[b.rank() - 2]);
        const std::string both = a.text() + " x " + bt.text();
        CAPTURE(both);
        CAPTURE(fixed);
        schema::MatMulOptionsT o;
        o.transpose_b = transpose;
        TestTensor right = random.floats(bt);
        right.is_constant = right.has_value = fixed;
        const Compared r = compare_backends(o, {random.floats(a), right});
        const bool few_rows = !fixed && !transpose && a[a.rank() - 2] <= 4;
        REQUIRE(r.taken == !few_rows);
        CHECK(r.max_error <= 1e-5 * std::max(1.0, r.scale));
      }
}

TEST_CASE("xnnpack product of codes with constant codes gives the reference's codes exactly") {
  RandomTensors random(25);
  schema::MatMulOptionsT o;
  OpRunSettings settings;
  settings.declared = {TestTensor{}};
  settings.declared[0].dtype = DType::i8;
  settings.declared[0].scales = {0.05f};
  settings.declared[0].zero_points = {-9};
  const TestTensor a = random.integers<int8_t>({2, 6, 40}, -128, 127).quantized(0.02f, 5);
  const Compared r = compare_backends(o, {a, channel_codes(random, {40, 21}, 1)}, settings);
  REQUIRE(r.taken);
  CHECK(r.max_steps == 0);
}

}  // namespace pith
