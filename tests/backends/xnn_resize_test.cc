// XNNPACK's bilinear resize against the reference.
#include "tests/backends/backend_runner.h"

namespace pith {
namespace {

using schema::ResizeCoordinates;

// XNNPACK's coordinates are f32: off by a few 2^-24 of the side, times the largest step between neighbours.
constexpr double kBound = 64 * 0x1p-24 * 2 * 4;

Compared resize(const Shape& x, const std::vector<int64_t>& sizes, ResizeCoordinates coordinates) {
  RandomTensors random(71);
  schema::ResizeOptionsT o;
  o.mode = schema::ResizeMode::linear;
  o.coordinates = coordinates;
  return compare_backends(o, {random.floats(x), omitted(), omitted(), tensor<int64_t>({4}, sizes)});
}

}  // namespace

TEST_CASE("xnnpack bilinear resize agrees with the reference for every kind of coordinates it takes") {
  for (ResizeCoordinates c : {ResizeCoordinates::half_pixel, ResizeCoordinates::pytorch_half_pixel,
                              ResizeCoordinates::align_corners, ResizeCoordinates::asymmetric}) {
    CAPTURE(static_cast<int>(c));
    for (const auto& [h, w] : {std::pair{10, 14}, std::pair{5, 7}, std::pair{3, 20}, std::pair{13, 2}}) {
      const Compared r = resize({2, 5, 7, 9}, {2, h, w, 9}, c);
      REQUIRE(r.taken);
      CHECK(r.max_error <= kBound);
    }
  }
  const Compared one = resize({1, 5, 7, 3}, {1, 1, 1, 3}, ResizeCoordinates::half_pixel);
  CHECK(one.taken);
  CHECK(one.max_error <= kBound);
}

TEST_CASE("xnnpack leaves other resizing to the reference") {
  CHECK_FALSE(resize({1, 5, 7, 3}, {1, 1, 4, 3}, ResizeCoordinates::pytorch_half_pixel).taken);
  CHECK_FALSE(resize({1, 3, 5, 7}, {1, 4, 9, 9}, ResizeCoordinates::half_pixel).taken);  // over channels
  RandomTensors random(72);
  schema::ResizeOptionsT o;
  o.mode = schema::ResizeMode::linear;
  const TestTensor x = random.floats({1, 5, 7, 3});
  const TestTensor whole = tensor<float>({4}, {1, 2, 2, 1}), uneven = tensor<float>({4}, {1, 1.5f, 2, 1});
  CHECK(compare_backends(o, {x, omitted(), whole}).taken);
  CHECK_FALSE(compare_backends(o, {x, omitted(), uneven}).taken);  // 7.5 rows
  o.mode = schema::ResizeMode::nearest;
  CHECK_FALSE(compare_backends(o, {x, omitted(), whole}).taken);
}

}  // namespace pith
