// Pad: the four modes, cuts by negative pads, chosen axes, quantized zero, refusals.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

using namespace pith;

namespace {
using Ints = std::vector<int64_t>;
TestTensor ints(const Ints& v) { return tensor<int64_t>({static_cast<int64_t>(v.size())}, v); }
schema::PadOptionsT mode(schema::PadMode m) {
  schema::PadOptionsT options;
  options.mode = m;
  return options;
}
const TestTensor kRow = tensor<int32_t>({1, 3}, {1, 2, 3});
std::vector<int32_t> padded(schema::PadMode m, const TestTensor& x, const Ints& pads) {
  const OpResult r = run_op(mode(m), {x, ints(pads)});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK_FALSE(r.overrun);
  return r.out[0].values<int32_t>();
}
using Values = std::vector<int32_t>;
}  // namespace

TEST_CASE("pad: the modes continue a row in their own ways, further than its length") {
  CHECK(padded(schema::PadMode::constant, kRow, {0, 1, 0, 2}) == Values{0, 1, 2, 3, 0, 0});
  CHECK(padded(schema::PadMode::edge, kRow, {0, 2, 0, 1}) == Values{1, 1, 1, 2, 3, 3});
  CHECK(padded(schema::PadMode::wrap, kRow, {0, 4, 0, 4}) == Values{3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1});
  CHECK(padded(schema::PadMode::reflect, kRow, {0, 3, 0, 4}) == Values{2, 3, 2, 1, 2, 3, 2, 1, 2, 3});
}

TEST_CASE("pad: negative pads cut, together with positive ones at the other end") {
  CHECK(padded(schema::PadMode::constant, kRow, {0, -1, 0, 1}) == Values{2, 3, 0});
  CHECK(padded(schema::PadMode::edge, kRow, {1, 1, 0, -2}) == Values{1, 1, 1, 1});
  CHECK(run_op(mode(schema::PadMode::constant), {kRow, ints({0, -2, 0, -2})}).status.code() ==
        Code::bad_file);
}

TEST_CASE("pad: outer dims carry unpadded inner ones along as blocks") {
  const TestTensor x = tensor<int32_t>({2, 1, 2}, {1, 2, 3, 4});
  CHECK(padded(schema::PadMode::constant, x, {1, 0, 0, 0, 1, 0}) ==
        Values{0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0});
  CHECK(padded(schema::PadMode::reflect, x, {1, 0, 0, 0, 0, 0}) == Values{3, 4, 1, 2, 3, 4});
}

TEST_CASE("pad: a value and named axes") {
  const OpResult r = run_op(mode(schema::PadMode::constant),
                            {kRow, ints({1, 1}), tensor<int32_t>({}, {9}), tensor<int32_t>({1}, {-1})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].values<int32_t>() == Values{9, 1, 2, 3, 9});
}

TEST_CASE("pad: the default constant of a quantized tensor is its zero point") {
  OpRunSettings settings;
  settings.declared = {tensor<int8_t>({}, {}).quantized(0.5f, -7)};
  const TestTensor x = tensor<int8_t>({1}, {5}).quantized(0.5f, -7);
  CHECK(run_op(mode(schema::PadMode::constant), {x, ints({1, 0})}, settings).out[0].values<int8_t>() ==
        std::vector<int8_t>{-7, 5});
}

TEST_CASE("pad: scalars, empty results, and pads that cannot be") {
  CHECK(padded(schema::PadMode::constant, tensor<int32_t>({}, {4}), {}) == Values{4});
  CHECK(padded(schema::PadMode::constant, tensor<int32_t>({0, 2}, {}), {1, 0, 0, 0}) == Values{0, 0});
  CHECK(run_op(mode(schema::PadMode::edge), {tensor<int32_t>({0}, {}), ints({1, 0})}).status.code() ==
        Code::bad_file);
  CHECK(run_op(mode(schema::PadMode::constant), {kRow, ints({1})}).status.code() == Code::bad_file);
  CHECK(run_op(mode(schema::PadMode::constant), {kRow, ints({0, INT64_MAX, 0, 0})}).status.code() ==
        Code::bad_file);
  CHECK(run_op(mode(schema::PadMode::constant), {kRow, ints({0, INT64_MIN, 0, 0})}).status.code() ==
        Code::bad_file);
}

TEST_CASE("pad: large images on two threads equal the definition") {
  std::vector<float> values(3 * 50 * 70);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  OpRunSettings two;
  two.threads = 2;
  const OpResult r = run_op(mode(schema::PadMode::reflect),
                            {tensor<float>({3, 50, 70}, values), ints({0, 20, 30, 0, 9, 69})}, two);
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].shape == Shape{3, 79, 169});
  const auto y = r.out[0].values<float>();
  auto mirrored = [](int i, int n) { return static_cast<size_t>(i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i); };
  bool same = true;
  for (size_t c = 0; c < 3; ++c)
    for (int h = 0; h < 79; ++h)
      for (int w = 0; w < 169; ++w)
        same = same && y[(c * 79 + static_cast<size_t>(h)) * 169 + static_cast<size_t>(w)] ==
                           values[(c * 50 + mirrored(h - 20, 50)) * 70 + mirrored(w - 30, 70)];
  CHECK(same);
}
