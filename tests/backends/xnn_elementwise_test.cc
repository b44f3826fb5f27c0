// XNNPACK's elementwise operators against the reference.
#include <cmath>

#include "tests/backends/backend_runner.h"

namespace pith {
namespace {

using schema::BinaryKind;
using schema::UnaryKind;

schema::UnaryOptionsT unary(UnaryKind kind, float alpha = 0, float beta = 0) {
  schema::UnaryOptionsT o;
  o.kind = kind;
  o.alpha = alpha;
  o.beta = beta;
  return o;
}
schema::BinaryOptionsT binary(BinaryKind kind) {
  schema::BinaryOptionsT o;
  o.kind = kind;
  return o;
}

struct UnaryCase {
  schema::UnaryOptionsT options;
  float lo, hi;
  double bound;  // largest |error| / max(1, |y|): polynomial and rational approximations keep a few ulp
  bool floats = true;
};
const UnaryCase kUnaryCases[] = {
    {unary(UnaryKind::abs), -9, 9, 0},
    {unary(UnaryKind::neg), -9, 9, 0},
    {unary(UnaryKind::floor), -9, 9, 0},
    {unary(UnaryKind::ceil), -9, 9, 0},
    {unary(UnaryKind::round_even), -9, 9, 0},
    // Without AVX-512 it refines an estimate with e <= 1.5 * 2^-12 once: 1.5 e^2 = 3.4 u, roundings 3.5 u, the reference's u.
    {unary(UnaryKind::sqrt), 0, 9, 7.9 * 0x1p-24},
    {unary(UnaryKind::log), 0.01f, 90, 1e-6},
    {unary(UnaryKind::sigmoid), -20, 20, 3e-7},
    {unary(UnaryKind::tanh), -10, 10, 5e-7},
    {unary(UnaryKind::relu), -9, 9, 0, false},
    {unary(UnaryKind::clip, -1.5f, 2.25f), -9, 9, 0, false},
    {unary(UnaryKind::leaky_relu, 0.1f), -9, 9, 0},
    {unary(UnaryKind::elu, 1.5f), -9, 9, 1e-6},
    {unary(UnaryKind::hard_swish), -9, 9, 1e-6},
    {unary(UnaryKind::gelu), -9, 9, 2e-6},
    {unary(UnaryKind::swish, 1), -20, 20, 3e-7},
    {unary(UnaryKind::swish, 1.702f), -20, 20, 0, false},
};

TestTensor declared(const TestTensor& like, float scale, int32_t zero) {
  TestTensor t;
  t.dtype = like.dtype;
  return std::move(t).quantized(scale, zero);
}

Compared compare_binary(const schema::BinaryOptionsT& o, TestTensor a, TestTensor b, TestTensor y) {
  OpRunSettings settings;
  settings.declared = {std::move(y)};
  return compare_backends(o, {std::move(a), std::move(b)}, settings);
}

}  // namespace

TEST_CASE("xnnpack unary f32 functions agree with the reference") {
  RandomTensors random(1);
  for (const UnaryCase& c : kUnaryCases) {
    const std::string name = schema::EnumNameUnaryKind(c.options.kind);
    CAPTURE(name);
    for (int64_t n : {1, 15, 16, 17, 1000}) {
      const Compared r = compare_backends(c.options, {random.floats({n}, c.lo, c.hi)});
      REQUIRE(r.taken == c.floats);
      CHECK(r.max_error <= c.bound * std::max(1.0, r.scale));
    }
  }
}

TEST_CASE("xnnpack unary functions of codes are at most a step from the reference, almost always equal") {
  RandomTensors random(2);
  size_t different = 0, count = 0;
  for (const UnaryCase& c : kUnaryCases) {
    const std::string name = schema::EnumNameUnaryKind(c.options.kind);
    CAPTURE(name);
    for (int round = 0; round < 4; ++round) {
      OpRunSettings settings;
      TestTensor x = round % 2 == 0 ? random.integers<int8_t>({999}, -128, 127)
                                    : random.integers<uint8_t>({999}, 0, 255);
      settings.declared = {declared(x, random.real(0.005f, 0.05f), 3)};
      const Compared r =
          compare_backends(c.options, {std::move(x).quantized(random.real(0.01f, 0.1f), 5)}, settings);
      if (!r.taken) continue;
      CHECK(r.max_steps <= 1);
      different += r.different;
      count += r.count;
    }
  }
  MESSAGE("quantized unary: " << different << " of " << count << " codes differ by one step");
  CHECK(count > 0);
  CHECK(different * 1000 <= count);
}

TEST_CASE("xnnpack binary f32 functions agree with the reference under every kind of broadcasting") {
  RandomTensors random(3);
  const std::pair<Shape, Shape> shapes[] = {
      {{7}, {7}},
      {{3, 5}, {5}},
      {{5}, {3, 5}},
      {{3, 5}, {1}},
      {{2, 3, 4, 5}, {4, 5}},
      {{2, 1, 4, 1}, {3, 1, 5}},
      {{1, 9, 1}, {4, 1, 33}},
      {{}, {2, 3}},
      {{2, 3, 1, 2, 1, 3, 2, 2}, {2, 3, 2, 1, 2, 3, 2, 2}},
  };
  for (BinaryKind kind : {BinaryKind::add, BinaryKind::sub, BinaryKind::mul, BinaryKind::div, BinaryKind::max,
                          BinaryKind::min, BinaryKind::prelu}) {
    const std::string name = schema::EnumNameBinaryKind(kind);
    CAPTURE(name);
    for (const auto& [a, b] : shapes) {
      const std::string both = a.text() + " " + b.text();
      CAPTURE(both);
      const Compared r = compare_backends(binary(kind), {random.floats(a), random.floats(b, 0.5f, 2)});
      REQUIRE(r.taken);
      CHECK(r.max_error <= 1e-7 * r.scale);
    }
  }
}

TEST_CASE("xnnpack refuses a broadcast that needs more than six dims") {
  RandomTensors random(4);
  CHECK_FALSE(compare_backends(binary(BinaryKind::add),
                               {random.floats({2, 1, 2, 1, 2, 1, 2}), random.floats({1, 2, 1, 2, 1, 2, 1})})
                  .taken);
}

TEST_CASE("xnnpack clamps the result of a binary operator") {
  RandomTensors random(5);
  schema::BinaryOptionsT o = binary(BinaryKind::add);
  o.clamp_min = 0;
  o.clamp_max = 0.75f;
  const Compared r = compare_backends(o, {random.floats({3, 50}), random.floats({50})});
  REQUIRE(r.taken);
  CHECK(r.max_error == 0);
  CHECK(r.scale == doctest::Approx(0.75));
  const Compared q = compare_binary(o, random.integers<int8_t>({60}, -128, 127).quantized(0.02f, 1),
                                    random.integers<int8_t>({60}, -128, 127).quantized(0.01f, -3),
                                    declared(tensor<int8_t>({0}, {}), 0.015f, 2));
  REQUIRE(q.taken);
  CHECK(q.max_steps == 0);
}

TEST_CASE("xnnpack sums and products of codes give the reference's codes exactly") {
  RandomTensors random(6);
  for (BinaryKind kind : {BinaryKind::add, BinaryKind::sub, BinaryKind::mul}) {
    const std::string name = schema::EnumNameBinaryKind(kind);
    CAPTURE(name);
    for (int round = 0; round < 40; ++round) {
      const Shape other = round % 3 == 0 ? Shape{33} : round % 3 == 1 ? Shape{1} : Shape{5, 33};
      const float sa = random.real(0.004f, 0.08f), sb = random.real(0.004f, 0.08f);
      const float sy = kind == BinaryKind::mul ? sa * sb * 60 : (sa + sb) * random.real(0.3f, 1.5f);
      const int32_t zero = random.below(100);
      const bool is_signed = round % 2 == 0;
      TestTensor a =
          is_signed ? random.integers<int8_t>({5, 33}, -128, 127) : random.integers<uint8_t>({5, 33}, 0, 255);
      TestTensor b =
          is_signed ? random.integers<int8_t>(other, -128, 127) : random.integers<uint8_t>(other, 0, 255);
      const TestTensor y = declared(a, sy, 100 - zero);
      const Compared r =
          compare_binary(binary(kind), std::move(a).quantized(sa, zero), std::move(b).quantized(sb, 7), y);
#if defined(__aarch64__) || defined(__arm__)
      if (kind == BinaryKind::mul) {  // left to our own kernel: XNNPACK's rounds otherwise here
        REQUIRE_FALSE(r.taken);
        continue;
      }
#endif
      REQUIRE(r.taken);
      CHECK(r.max_steps == 0);
    }
  }
}

TEST_CASE("xnnpack converts between f32 and f16 exactly as the reference") {
  RandomTensors random(8);
  schema::CastOptionsT o;
  OpRunSettings settings;
  settings.declared = {TestTensor{}};
  settings.declared[0].dtype = DType::f16;
  o.to = static_cast<uint8_t>(DType::f16);
  const TestTensor x = random.floats({3, 777}, -7e4f, 7e4f);  // beyond the largest half, too
  const Compared narrow = compare_backends(o, {x}, settings);
  REQUIRE(narrow.taken);
  CHECK(narrow.different == 0);
  settings.declared[0].dtype = DType::f32;
  o.to = static_cast<uint8_t>(DType::f32);
  const Compared wide = compare_backends(o, {random.integers<uint16_t>({1000}, 0, 0x7bff)}, settings);
  CHECK_FALSE(wide.taken);  // u16 is not f16
  TestTensor halves = random.integers<uint16_t>({1000}, 0, 0x7bff);
  halves.dtype = DType::f16;
  const Compared widened = compare_backends(o, {halves}, settings);
  REQUIRE(widened.taken);
  CHECK(widened.different == 0);
}

}  // namespace pith
