// XNNPACK's transpose against the reference.
#include "tests/backends/backend_runner.h"

namespace pith {
namespace {

void check_perm(const Shape& shape, const std::vector<uint32_t>& perm, bool expect_taken) {
  RandomTensors random(7);
  schema::TransposeOptionsT options;
  options.perm = perm;
  const auto bytes = random.integers<uint8_t>({shape.count() * 8}, 0, 255);
  for (DType type : {DType::f16, DType::f32, DType::i64}) {
    CAPTURE(shape.text());
    CAPTURE(name_of(type));
    TestTensor x = bytes;
    x.dtype = type;
    x.shape = shape;
    x.bytes.resize(static_cast<size_t>(shape.count()) * size_of(type));
    OpRunSettings settings;
    const OpResult expected = run_op(options, {x}, settings);
    settings.prepare = prepare_xnnpack;
    const OpResult found = run_op(options, {x}, settings);
    CHECK(found.status.is_ok() == expect_taken);
    if (!expect_taken) continue;
    CHECK_FALSE(found.overrun);
    CHECK(found.out[0].bytes == expected.out[0].bytes);
  }
}

}  // namespace

TEST_CASE("xnnpack transpose moves every element size as the reference does") {
  check_perm({9, 17}, {1, 0}, true);
  check_perm({1, 8, 17, 5}, {0, 2, 3, 1}, true);
  check_perm({2, 9, 4, 3}, {0, 3, 1, 2}, true);
  check_perm({13, 1, 4, 1, 5}, {4, 3, 2, 1, 0}, true);
  check_perm({9, 3, 2, 3, 2, 3, 2}, {6, 5, 4, 3, 2, 1, 0}, false);  // 7 dims that cannot be merged
  check_perm({2, 3, 2, 3, 2, 3, 9}, {1, 0, 3, 2, 4, 5, 6}, true);
  check_perm({2, 3, 2, 3, 2, 3, 2, 2}, {4, 5, 6, 7, 0, 1, 2, 3}, true);
}

TEST_CASE("xnnpack transpose leaves a transpose that moves nothing to the reference") {
  check_perm({4, 1, 5}, {1, 0, 2}, false);
}

TEST_CASE("xnnpack transpose leaves short rows to the reference") {
  check_perm({1, 3, 17, 5}, {0, 2, 3, 1}, false);
}

}  // namespace pith
