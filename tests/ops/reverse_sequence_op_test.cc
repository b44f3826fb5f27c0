// ReverseSequence: the first steps of every batch entry are turned round.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

using namespace pith;

namespace {
const TestTensor kX = tensor<float>({2, 3, 1}, {0, 1, 2, 3, 4, 5});
OpResult reverse(int time_axis, int batch_axis, const std::vector<int64_t>& lengths) {
  schema::ReverseSequenceOptionsT options;
  options.time_axis = time_axis;
  options.batch_axis = batch_axis;
  return run_op(options, {kX, tensor<int64_t>({static_cast<int64_t>(lengths.size())}, lengths)});
}
}  // namespace

TEST_CASE("reverse sequence: each batch entry has its own length, in either layout") {
  CHECK(reverse(1, 0, {2, 3}).out[0].values<float>() == std::vector<float>{1, 0, 2, 5, 4, 3});
  CHECK(reverse(0, 1, {1, 2, 2}).out[0].values<float>() == std::vector<float>{0, 4, 5, 3, 1, 2});
}

TEST_CASE("reverse sequence: lengths outside the sequence count as its ends") {
  CHECK(reverse(1, 0, {INT64_MAX, INT64_MIN}).out[0].values<float>() == std::vector<float>{2, 1, 0, 3, 4, 5});
}

TEST_CASE("reverse sequence: axes and lengths that do not fit are refused") {
  CHECK(reverse(0, 0, {1, 1}).status.code() == Code::bad_file);
  CHECK(reverse(2, 0, {1, 1}).status.code() == Code::bad_file);
  CHECK(reverse(1, 0, {1, 1, 1}).status.code() == Code::bad_file);
}
