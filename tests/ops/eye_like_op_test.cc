// EyeLike: the diagonal, its offset, and the element type.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

using namespace pith;

namespace {
template <class T>
std::vector<T> eye(int k, DType as = dtype_of<T>()) {
  schema::EyeLikeOptionsT options;
  options.k = k;
  const OpResult r = run_op(options, {tensor<T>({2, 3}, std::vector<T>(6, 9), as).known_at_run_only()});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  return r.out[0].template values<T>();
}
}  // namespace

TEST_CASE("eye like: ones on the k-th diagonal, in the type of the input") {
  CHECK(eye<int32_t>(0) == std::vector<int32_t>{1, 0, 0, 0, 1, 0});
  CHECK(eye<float>(2) == std::vector<float>{0, 0, 1, 0, 0, 0});
  CHECK(eye<double>(-1) == std::vector<double>{0, 0, 0, 1, 0, 0});
  CHECK(eye<uint16_t>(0, DType::f16) == std::vector<uint16_t>{0x3c00, 0, 0, 0, 0x3c00, 0});
  CHECK(eye<uint16_t>(0, DType::bf16) == std::vector<uint16_t>{0x3f80, 0, 0, 0, 0x3f80, 0});
  CHECK(eye<uint8_t>(INT32_MAX) == std::vector<uint8_t>(6, 0));
  CHECK(eye<uint8_t>(INT32_MIN, DType::boolean) == std::vector<uint8_t>(6, 0));
}

TEST_CASE("eye like: inputs that are no matrix are refused") {
  CHECK(run_op(schema::EyeLikeOptionsT{}, {tensor<float>({2}, {1, 2})}).status.code() == Code::bad_file);
}
