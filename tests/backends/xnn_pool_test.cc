// XNNPACK's pooling against the reference.
#include "tests/backends/backend_runner.h"

namespace pith {
namespace {

struct PoolCase {
  const char* what;
  Shape x;
  std::vector<uint32_t> kernel, strides, pads;
  bool ceil_mode = false;
  bool taken = true;
};
const PoolCase kCases[] = {
    {"2x2", {2, 6, 8, 5}, {2, 2}, {2, 2}, {}},
    {"3x3 with padding", {1, 7, 9, 17}, {3, 3}, {2, 2}, {1, 1, 1, 1}},
    {"3x3 overlapping, lopsided", {1, 8, 6, 3}, {3, 3}, {1, 2}, {0, 1, 2, 0}},
    {"5x4", {1, 12, 11, 33}, {5, 4}, {3, 2}, {2, 1, 2, 1}},
    {"ceil mode", {1, 7, 7, 4}, {2, 2}, {2, 2}, {}, true},
    {"ceil mode with padding", {1, 8, 8, 4}, {3, 3}, {2, 2}, {1, 1, 1, 1}, true},
    {"whole picture", {2, 7, 7, 20}, {7, 7}, {1, 1}, {}},
    {"1-D", {2, 15, 6}, {3}, {2}, {1, 1}},
    {"one element", {1, 5, 5, 2}, {1, 1}, {2, 2}, {}, false, false},
};

schema::PoolOptionsT options_of(const PoolCase& c, schema::PoolKind kind) {
  schema::PoolOptionsT o;
  o.kind = kind;
  o.kernel = c.kernel;
  o.strides = c.strides;
  o.pads = c.pads;
  o.ceil_mode = c.ceil_mode;
  return o;
}

}  // namespace

TEST_CASE("xnnpack maximum pooling equals the reference for f32, i8 and u8") {
  RandomTensors random(31);
  for (const PoolCase& c : kCases) {
    CAPTURE(c.what);
    const auto o = options_of(c, schema::PoolKind::max);
    const Compared f = compare_backends(o, {random.floats(c.x)});
    CHECK(f.taken == c.taken);
    CHECK(f.different == 0);
    for (const TestTensor& x :
         {random.integers<int8_t>(c.x, -128, 127), random.integers<uint8_t>(c.x, 0, 255)}) {
      const Compared plain = compare_backends(o, {x});
      CHECK(plain.taken == c.taken);
      CHECK(plain.different == 0);
    }
  }
}

TEST_CASE("xnnpack average pooling agrees with the reference") {
  RandomTensors random(32);
  for (const PoolCase& c : kCases) {
    CAPTURE(c.what);
    auto o = options_of(c, schema::PoolKind::average);
    const Compared r = compare_backends(o, {random.floats(c.x)});
    CHECK(r.taken == c.taken);
    CHECK(r.max_error <= 1e-6);
    o.count_include_pad = true;
    CHECK(compare_backends(o, {random.floats(c.x)}).taken == (c.taken && c.pads.empty() && !c.ceil_mode));
  }
}

TEST_CASE("xnnpack leaves dilated pooling and pooling with indices to the reference") {
  RandomTensors random(33);
  auto o = options_of(kCases[0], schema::PoolKind::max);
  o.dilations = {2, 2};
  CHECK_FALSE(compare_backends(o, {random.floats(kCases[0].x)}).taken);
  OpRunSettings settings;
  settings.outputs = 2;
  settings.declared.resize(2);
  CHECK_FALSE(
      compare_backends(options_of(kCases[0], schema::PoolKind::max), {random.floats(kCases[0].x)}, settings)
          .taken);
}

}  // namespace pith
