// Transpose: permutations, element sizes, refusals.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

using namespace pith;

namespace {
schema::TransposeOptionsT perm(std::vector<uint32_t> p) {
  schema::TransposeOptionsT options;
  options.perm = std::move(p);
  return options;
}
}  // namespace

TEST_CASE("transpose: dims follow the permutation") {
  const OpResult r = run_op(perm({1, 0}), {tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].shape == Shape{3, 2});
  CHECK(r.out[0].values<float>() == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK_FALSE(r.overrun);
}

TEST_CASE("transpose: channels-first to channels-last and back is the identity, on two threads") {
  std::vector<int8_t> values(3 * 19 * 33 * 40);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int8_t>(i * 31 % 251);
  OpRunSettings two;
  two.threads = 2;
  const OpResult last = run_op(perm({0, 2, 3, 1}), {tensor<int8_t>({3, 19, 33, 40}, values)}, two);
  REQUIRE(last.status.is_ok());
  CHECK(last.out[0].shape == Shape{3, 33, 40, 19});
  CHECK(last.kernel == "copy_transposed");
  const OpResult first = run_op(perm({0, 3, 1, 2}), {last.out[0]}, two);
  CHECK(first.out[0].values<int8_t>() == values);
}

TEST_CASE("transpose: scalars and empty tensors pass") {
  CHECK(run_op(perm({}), {tensor<float>({}, {7})}).out[0].values<float>() == std::vector<float>{7});
  CHECK(run_op(perm({1, 0}), {tensor<double>({0, 5}, {})}).out[0].shape == Shape{5, 0});
}

TEST_CASE("transpose: what is no permutation of the dims is refused") {
  const TestTensor x = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(run_op(perm({0, 0}), {x}).status.code() == Code::bad_file);
  CHECK(run_op(perm({0, 2}), {x}).status.code() == Code::bad_file);
  CHECK(run_op(perm({0, 1, 2}), {x}).status.code() == Code::bad_file);
  CHECK(run_op(perm(std::vector<uint32_t>(40, 0)), {x}).status.code() == Code::unsupported);
}
