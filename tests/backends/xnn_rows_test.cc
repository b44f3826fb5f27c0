// XNNPACK's reductions and softmax against the reference.
#include "tests/backends/backend_runner.h"

namespace pith {

TEST_CASE("xnnpack sum and mean agree with the reference over any axes") {
  RandomTensors random(51);
  const std::pair<Shape, std::vector<int64_t>> cases[] = {
      {{2, 7, 7, 33}, {1, 2}},
      {{2, 33, 7, 7}, {-1, -2}},
      {{5, 17}, {0}},
      {{5, 17}, {1}},
      {{3, 1, 4, 1}, {1, 2}},
      {{2, 3, 4, 5}, {0, 2}},
      {{2, 3, 4, 5}, {}},
      {{1000}, {0}},
      {{2, 3, 4, 5, 6}, {1, 3}},
      {{2, 2, 2, 2, 2, 2, 2, 2}, {0, 1, 4, 5}},
  };
  for (const auto& [shape, axes] : cases)
    for (schema::ReduceKind kind : {schema::ReduceKind::sum, schema::ReduceKind::mean}) {
      const std::string text = shape.text();
      CAPTURE(text);
      schema::ReduceOptionsT o;
      o.kind = kind;
      o.keepdims = axes.size() % 2 == 0;
      std::vector<TestTensor> inputs{random.floats(shape)};
      if (!axes.empty()) inputs.push_back(tensor<int64_t>({static_cast<int64_t>(axes.size())}, axes));
      const Compared r = compare_backends(o, inputs);
      REQUIRE(r.taken);
      // Sums of n values of size <= 1 in another order: n * 2^-24, n <= 1000.
      CHECK(r.max_error <= 6e-5);
    }
}

TEST_CASE("xnnpack reduction declines nothing to reduce, integers, and other kinds") {
  RandomTensors random(52);
  schema::ReduceOptionsT o;
  o.kind = schema::ReduceKind::sum;
  CHECK_FALSE(compare_backends(o, {random.integers<int32_t>({4, 5}, -9, 9)}).taken);
  CHECK_FALSE(compare_backends(o, {random.floats({4, 1, 5}), tensor<int64_t>({1}, {1})}).taken);
  o.noop_with_empty_axes = true;  // no axes given: every element alone
  CHECK_FALSE(compare_backends(o, {random.floats({4, 5})}).taken);
  o.noop_with_empty_axes = false;
  o.kind = schema::ReduceKind::max;
  CHECK_FALSE(compare_backends(o, {random.floats({4, 5})}).taken);
}

TEST_CASE("xnnpack softmax agrees with the reference, also for far apart and equal values") {
  RandomTensors random(53);
  schema::SoftmaxOptionsT o;
  for (const Shape& shape : {Shape{1}, Shape{3, 10}, Shape{2, 5, 17}, Shape{4, 1000}, Shape{2, 9, 1, 1}})
    for (float range : {0.0f, 1.0f, 80.0f}) {
      o.axis = shape.rank() == 4 ? 1 : -1;  // only dims of one element after it: still the last one
      const Compared r = compare_backends(o, {random.floats(shape, -range, range)});
      REQUIRE(r.taken);
      CHECK(r.max_error <= 1e-6);
    }
  o.axis = 0;
  CHECK_FALSE(compare_backends(o, {random.floats({3, 4})}).taken);
}

}  // namespace pith
