// Trilu: which side of the moved diagonal stays.
#include <doctest/doctest.h>

#include "tests/support/op_runner.h"

using namespace pith;

namespace {
std::vector<int32_t> triangle(bool upper, int64_t k) {
  schema::TriluOptionsT options;
  options.upper = upper;
  const OpResult r =
      run_op(options, {tensor<int32_t>({1, 2, 3}, {1, 2, 3, 4, 5, 6}), tensor<int64_t>({}, {k})});
  REQUIRE_MESSAGE(r.status.is_ok(), r.status.message());
  CHECK_FALSE(r.overrun);
  return r.out[0].values<int32_t>();
}
using Values = std::vector<int32_t>;
}  // namespace

TEST_CASE("trilu: keeps what lies on and beyond the k-th diagonal") {
  CHECK(triangle(true, 0) == Values{1, 2, 3, 0, 5, 6});
  CHECK(triangle(true, 1) == Values{0, 2, 3, 0, 0, 6});
  CHECK(triangle(true, -1) == Values{1, 2, 3, 4, 5, 6});
  CHECK(triangle(false, 0) == Values{1, 0, 0, 4, 5, 0});
  CHECK(triangle(false, -1) == Values{0, 0, 0, 4, 0, 0});
}

TEST_CASE("trilu: diagonals far outside keep all or nothing") {
  CHECK(triangle(true, INT64_MAX) == Values(6, 0));
  CHECK(triangle(true, INT64_MIN) == Values{1, 2, 3, 4, 5, 6});
  CHECK(triangle(false, INT64_MAX) == Values{1, 2, 3, 4, 5, 6});
}

TEST_CASE("trilu: vectors are refused") {
  CHECK(run_op(schema::TriluOptionsT{}, {tensor<float>({2}, {1, 2})}).status.code() == Code::bad_file);
}
