// Our own linear Resize of 8-bit codes, as a node: the bytes of the reference at every instruction set, with one thread and two.
#include "runtime/backends/pith/pith_backend.h"
#include "tests/backends/backend_runner.h"

namespace pith {
namespace {

// `taken`: our kernel runs it.
void check(const schema::ResizeOptionsT& o, const TestTensor& x, const Shape& size, bool taken = true) {
  std::vector<int64_t> sizes(size.dims().begin(), size.dims().end());
  const std::vector<TestTensor> inputs{x, omitted(), omitted(),
                                       tensor<int64_t>({static_cast<int64_t>(sizes.size())}, sizes)};
  OpRunSettings settings;
  settings.declared = {TestTensor{}};
  settings.declared[0].scales = x.scales, settings.declared[0].zero_points = x.zero_points;
  const OpResult expected = run_op(o, inputs, settings);
  REQUIRE_MESSAGE(expected.status.is_ok(), expected.status.message());
  settings.prepare = prepare_pith;
  for (int level = 0; level <= static_cast<int>(best_isa(detect_cpu())); ++level)
    for (size_t threads : {1, 2}) {
      settings.cpu = cap_cpu(detect_cpu(), static_cast<Isa>(level));
      settings.threads = threads;
      const OpResult found = run_op(o, inputs, settings);
      INFO(found.status.message() << ", from " << x.shape.text() << " to " << size.text());
      CHECK(found.status.is_ok() == taken);
      if (!taken) continue;
      CHECK(found.kernel == "resize_codes");
      CHECK_FALSE(found.overrun);
      CHECK(found.out[0].bytes == expected.out[0].bytes);
    }
}

}  // namespace

TEST_CASE("our linear resize gives the bytes of the reference for every kind of coordinates") {
  RandomTensors random(61);
  using schema::ResizeCoordinates;
  for (ResizeCoordinates c : {ResizeCoordinates::half_pixel, ResizeCoordinates::pytorch_half_pixel,
                              ResizeCoordinates::align_corners, ResizeCoordinates::asymmetric,
                              ResizeCoordinates::half_pixel_symmetric}) {
    schema::ResizeOptionsT o;
    o.mode = schema::ResizeMode::linear;
    o.coordinates = c;
    const TestTensor x = random.integers<int8_t>({2, 7, 9, 20}, -128, 127).quantized(0.1f, -3);
    const TestTensor u = random.integers<uint8_t>({1, 6, 5, 8}, 0, 255).quantized(0.1f, 77);
    check(o, x, {2, 14, 18, 20});
    check(o, x, {2, 5, 4, 20});
    check(o, x, {2, 7, 18, 20});  // one axis alone
    check(o, x, {2, 10, 9, 20});
    check(o, x, {2, 1, 1, 20});
    check(o, u, {1, 13, 7, 8});
  }
}

TEST_CASE("our linear resize leaves other axes, few channels, antialiasing and cropping to others") {
  RandomTensors random(62);
  schema::ResizeOptionsT o;
  o.mode = schema::ResizeMode::linear;
  check(o, random.integers<int8_t>({1, 6, 6, 3}, -128, 127).quantized(0.1f, 0), {1, 12, 12, 3}, false);
  check(o, random.integers<int8_t>({1, 8, 6, 6}, -128, 127).quantized(0.1f, 0), {1, 8, 12, 12}, false);
  o.antialias = true;
  check(o, random.integers<int8_t>({1, 8, 8, 16}, -128, 127).quantized(0.1f, 0), {1, 3, 3, 16}, false);
  schema::ResizeOptionsT nearest;
  check(nearest, random.integers<int8_t>({1, 8, 8, 16}, -128, 127).quantized(0.1f, 0), {1, 16, 16, 16},
        false);
}

}  // namespace pith
