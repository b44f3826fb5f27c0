// NonMaxSuppression: order, thresholds, limits, numbers that are none.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_runner.h"

using namespace pith;

namespace {
// Boxes 0 and 1 overlap by 80 %, box 2 lies apart; box 1 has its corners swapped.
const TestTensor kBoxes = tensor<float>({1, 3, 4}, {0, 0, 1, 1, 1.1f, 1, 0.1f, 0, 5, 5, 6, 6});
OpResult nms(const std::vector<float>& scores, int64_t most, float iou,
             const TestTensor& lowest = omitted()) {
  std::vector<TestTensor> inputs{kBoxes, tensor<float>({1, 1, 3}, scores), tensor<int64_t>({1}, {most}),
                                 tensor<float>({1}, {iou})};
  if (lowest.dtype != DType::none) inputs.push_back(lowest);
  return run_op(schema::NonMaxSuppressionOptionsT{}, inputs);
}
using Triples = std::vector<int64_t>;
}  // namespace

TEST_CASE("nms: the best boxes stay, in order of score, without those that overlap a better one") {
  const OpResult r = nms({0.5f, 0.9f, 0.7f}, 10, 0.5f);
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK(r.out[0].values<int64_t>() == Triples{0, 0, 1, 0, 0, 2});
  CHECK_FALSE(r.overrun);
  CHECK(nms({0.5f, 0.9f, 0.7f}, 10, 0.99f).out[0].values<int64_t>() == Triples{0, 0, 1, 0, 0, 2, 0, 0, 0});
}

TEST_CASE("nms: limits of number and score; equal scores keep the lower index") {
  CHECK(nms({0.5f, 0.5f, 0.5f}, 1, 0.5f).out[0].values<int64_t>() == Triples{0, 0, 0});
  CHECK(nms({0.5f, 0.9f, 0.7f}, 10, 0.5f, tensor<float>({1}, {0.7f})).out[0].values<int64_t>() ==
        Triples{0, 0, 1});
  CHECK(nms({0.5f, 0.9f, 0.7f}, 0, 0.5f).out[0].shape == Shape{0, 3});
  CHECK(nms({0.5f, 0.9f, 0.7f}, -5, 0.5f).out[0].shape == Shape{0, 3});
}

TEST_CASE("nms: scores that are no numbers never win") {
  CHECK(nms({NAN, NAN, 0.1f}, 10, 0.5f).out[0].values<int64_t>() == Triples{0, 0, 2});
}

TEST_CASE("nms: inputs known only at run time are asked for, bad shapes refused") {
  schema::NonMaxSuppressionOptionsT o;
  const TestTensor scores = tensor<float>({1, 1, 3}, {1, 2, 3});
  CHECK(run_op(o, {TestTensor(kBoxes).known_at_run_only(), scores}).status.code() == Code::needs_value);
  CHECK(run_op(o, {kBoxes, tensor<float>({1, 1, 2}, {1, 2})}).status.code() == Code::bad_file);
}
