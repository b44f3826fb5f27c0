// GridSample: modes, borders, three spatial dims, coordinates far away, refusals.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"

using namespace pith;

namespace {
using Values = std::vector<float>;
using schema::GridPadding;
using schema::ResizeMode;
const TestTensor kImage = tensor<float>({1, 1, 2, 2}, {1, 2, 3, 4});

Values sample(ResizeMode mode, GridPadding padding, bool corners, const Values& places,
              const TestTensor& image = kImage) {
  schema::GridSampleOptionsT o;
  o.mode = mode;
  o.padding = padding;
  o.align_corners = corners;
  const int64_t rank = image.shape.rank() - 2;
  Shape grid = Shape::of_rank(image.shape.rank(), 1);
  grid[1] = static_cast<int64_t>(places.size()) / rank;
  grid[image.shape.rank() - 1] = rank;
  const OpResult r = run_op(o, {image, tensor<float>(grid, places)});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK_FALSE(r.overrun);
  return r.out[0].values<float>();
}
}  // namespace

TEST_CASE("grid sample: corners and centre, the last dim's coordinate first") {
  CHECK(sample(ResizeMode::linear, GridPadding::zeros, true, {-1, -1, 1, -1, 0, 0}) == Values{1, 2, 2.5f});
  CHECK(sample(ResizeMode::nearest, GridPadding::zeros, false, {-0.5f, 0.5f, 0.5f, -0.5f}) == Values{3, 2});
  CHECK(sample(ResizeMode::cubic, GridPadding::border, true, {-1, -1, 1, 1}) == Values{1, 4});
}

TEST_CASE("grid sample: outside are zeros, the border, or the mirrored image") {
  CHECK(sample(ResizeMode::nearest, GridPadding::zeros, true, {3, 1}) == Values{0});
  CHECK(sample(ResizeMode::nearest, GridPadding::border, true, {3, 1}) == Values{4});
  CHECK(sample(ResizeMode::linear, GridPadding::reflection, true, {3, 1}) == Values{3});
  CHECK(sample(ResizeMode::linear, GridPadding::zeros, false, {-1, -0.5f}) == Values{0.5f});
}

TEST_CASE("grid sample: infinite coordinates and NaN stay inside the buffers") {
  for (const auto mode : {ResizeMode::nearest, ResizeMode::linear, ResizeMode::cubic}) {
    const Values far{INFINITY, 0, NAN, 0, -INFINITY, NAN, 1e30f, -1e30f};
    CHECK(sample(mode, GridPadding::zeros, false, far) == Values(4, 0));
    for (float v : sample(mode, GridPadding::reflection, false, far)) CHECK(std::isfinite(v));
  }
}

TEST_CASE("grid sample: volumes") {
  const TestTensor volume = tensor<float>({1, 1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(sample(ResizeMode::linear, GridPadding::zeros, true, {0, 0, 0, 1, -1, 1}, volume) == Values{4.5f, 6});
}

TEST_CASE("grid sample: shapes that do not fit are refused") {
  schema::GridSampleOptionsT o;
  CHECK(run_op(o, {kImage, tensor<float>({1, 1, 1, 3}, {0, 0, 0})}).status.code() == Code::bad_file);
  CHECK(run_op(o, {kImage, tensor<float>({2, 1, 1, 2}, {0, 0, 0, 0})}).status.code() == Code::bad_file);
  CHECK(run_op(o, {tensor<float>({1, 1, 0, 2}, {}), tensor<float>({1, 1, 1, 2}, {0, 0})}).status.code() ==
        Code::bad_file);
}
