// XNNPACK's sums and means against the reference.
#include "tests/backends/backend_runner.h"

namespace pith {
namespace {

void check_reduction(schema::ReduceKind kind, const Shape& shape, const std::vector<int64_t>& axes) {
  CAPTURE(shape.text());
  RandomTensors random(11);
  schema::ReduceOptionsT options;
  options.kind = kind;
  const TestTensor which = tensor<int64_t>({static_cast<int64_t>(axes.size())}, axes);
  const Compared c = compare_backends(options, {random.floats(shape, -1, 1), which});
  CHECK(c.taken);
  // Two sums of n values of at most 1, in different orders: each is off by at most n * n * 2^-24.
  const auto n = static_cast<double>(shape.count());
  CHECK(c.max_error <= 2 * n * n * 0x1p-24);
}

}  // namespace

TEST_CASE("xnnpack sums and means of floats agree with the reference over inner, outer and mixed axes") {
  for (const auto kind : {schema::ReduceKind::sum, schema::ReduceKind::mean}) {
    check_reduction(kind, {3, 2, 2}, {2});
    check_reduction(kind, {3, 2, 2}, {1});
    check_reduction(kind, {3, 2, 2}, {0, 2});
    check_reduction(kind, {2, 7, 5, 33}, {1, 2});
    check_reduction(kind, {2, 3, 5, 7}, {0, 1, 2, 3});
  }
}

}  // namespace pith
