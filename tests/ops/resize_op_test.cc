// Resize: the modes against hand-made and definitional results, sizes, crops, refusals.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"

using namespace pith;

namespace {
using Values = std::vector<float>;
const TestTensor kImage = tensor<float>({1, 1, 2, 2}, {1, 2, 3, 4});
TestTensor scales(const Values& v) { return tensor<float>({static_cast<int64_t>(v.size())}, v); }

schema::ResizeOptionsT options(schema::ResizeMode mode, schema::ResizeCoordinates coordinates) {
  schema::ResizeOptionsT o;
  o.mode = mode;
  o.coordinates = coordinates;
  return o;
}
void check_near(const OpResult& r, const Values& want) {
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK_FALSE(r.overrun);
  const Values got = r.out[0].values<float>();
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) CHECK(std::abs(got[i] - want[i]) <= 1e-5f);
}
}  // namespace

TEST_CASE("resize: nearest repeats pixels, channels first and channels last") {
  auto o = options(schema::ResizeMode::nearest, schema::ResizeCoordinates::asymmetric);
  o.nearest = schema::ResizeNearest::floor;
  check_near(run_op(o, {kImage, omitted(), scales({1, 1, 2, 2})}),
             {1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4});
  const OpResult r =
      run_op(o, {tensor<int8_t>({1, 1, 2, 3}, {1, 2, 3, 4, 5, 6}), omitted(), scales({1, 2, 2, 1})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].shape == Shape{1, 2, 4, 3});
  CHECK(r.out[0].values<int8_t>() == std::vector<int8_t>{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6,  //
                                                         1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6});
}

TEST_CASE("resize: linear with half pixels and with aligned corners") {
  const auto half = options(schema::ResizeMode::linear, schema::ResizeCoordinates::half_pixel);
  check_near(run_op(half, {kImage, omitted(), scales({1, 1, 2, 2})}),
             {1, 1.25f, 1.75f, 2, 1.5f, 1.75f, 2.25f, 2.5f, 2.5f, 2.75f, 3.25f, 3.5f, 3, 3.25f, 3.75f, 4});
  const auto corners = options(schema::ResizeMode::linear, schema::ResizeCoordinates::align_corners);
  check_near(run_op(corners, {kImage, omitted(), omitted(), tensor<int64_t>({4}, {1, 1, 3, 3})}),
             {1, 1.5f, 2, 2, 2.5f, 3, 3, 3.5f, 4});
}

TEST_CASE("resize: codes of 8 bits round half to even, and channels last gives what channels first gives") {
  const auto o = options(schema::ResizeMode::linear, schema::ResizeCoordinates::asymmetric);
  const OpResult r =
      run_op(o, {tensor<int8_t>({1, 2}, {1, 2}), omitted(), omitted(), tensor<int64_t>({2}, {1, 4})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].values<int8_t>() == std::vector<int8_t>{1, 2, 2, 2});
  check_near(run_op(o, {tensor<float>({2, 2}, {1, 10, 2, 20}), omitted(), scales({2, 1})}),
             {1, 10, 1.5f, 15, 2, 20, 2, 20});
}

TEST_CASE("resize: three axes at once, on two threads, equal one axis after another") {
  Values x(4 * 5 * 6);
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i));
  const auto o = options(schema::ResizeMode::cubic, schema::ResizeCoordinates::half_pixel);
  OpRunSettings two;
  two.threads = 2;
  const OpResult once =
      run_op(o, {tensor<float>({4, 5, 6}, x), omitted(), omitted(), tensor<int64_t>({3}, {7, 3, 11})}, two);
  REQUIRE_MESSAGE(once.status.is_ok(), once.status.message());
  TestTensor step = tensor<float>({4, 5, 6}, x);
  for (const std::vector<int64_t>& s : {std::vector<int64_t>{7, 5, 6}, {7, 3, 6}, {7, 3, 11}})
    step = run_op(o, {step, omitted(), omitted(), tensor<int64_t>({3}, s)}).out[0];
  check_near(once, step.values<float>());
}

TEST_CASE("resize: constants stay constant under every filter that is normalized") {
  for (const auto mode : {schema::ResizeMode::linear, schema::ResizeMode::cubic})
    for (const bool antialias : {false, true}) {
      auto o = options(mode, schema::ResizeCoordinates::half_pixel);
      o.antialias = antialias;
      o.exclude_outside = true;
      const OpResult r =
          run_op(o, {tensor<float>({9}, Values(9, 3)), omitted(), omitted(), tensor<int64_t>({1}, {4})});
      check_near(r, Values(4, 3));
    }
}

TEST_CASE("resize: a crop that leaves the image takes the extrapolation value") {
  auto o = options(schema::ResizeMode::linear, schema::ResizeCoordinates::tf_crop_and_resize);
  o.extrapolation = 10;
  check_near(run_op(o, {tensor<float>({2}, {1, 2}), tensor<float>({2}, {0, 2}), omitted(),
                        tensor<int64_t>({1}, {3})}),
             {1, 2, 10});
}

TEST_CASE("resize: named axes keep their aspect") {
  auto o = options(schema::ResizeMode::nearest, schema::ResizeCoordinates::half_pixel);
  o.axes = {2, 3};
  o.aspect = schema::ResizeAspect::not_larger;
  const TestTensor x = tensor<float>({1, 1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(run_op(o, {x, omitted(), omitted(), tensor<int64_t>({2}, {6, 8})}).out[0].shape == Shape{1, 1, 4, 8});
  o.aspect = schema::ResizeAspect::not_smaller;
  CHECK(run_op(o, {x, omitted(), omitted(), tensor<int64_t>({2}, {6, 8})}).out[0].shape ==
        Shape{1, 1, 6, 12});
}

TEST_CASE("resize: scales and sizes that cannot be are refused") {
  const auto o = options(schema::ResizeMode::linear, schema::ResizeCoordinates::half_pixel);
  const TestTensor x = tensor<float>({2}, {1, 2});
  CHECK(run_op(o, {x, omitted(), scales({0})}).status.code() == Code::bad_file);
  CHECK(run_op(o, {x, omitted(), scales({NAN})}).status.code() == Code::bad_file);
  CHECK(run_op(o, {x, omitted(), scales({1e30f})}).status.code() == Code::bad_file);
  CHECK(run_op(o, {x, omitted(), scales({1, 1})}).status.code() == Code::bad_file);
  CHECK(run_op(o, {x, omitted(), omitted(), tensor<int64_t>({1}, {-1})}).status.code() == Code::bad_file);
  CHECK(run_op(o, {x, omitted(), omitted(), tensor<int64_t>({1}, {int64_t{1} << 40})}).status.code() ==
        Code::unsupported);
  CHECK(run_op(o, {tensor<float>({0}, {}), omitted(), omitted(), tensor<int64_t>({1}, {2})}).status.code() ==
        Code::bad_file);
  CHECK(run_op(o, {x}).status.code() == Code::bad_file);
}
