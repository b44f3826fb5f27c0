// Broadcast: merged dims and runs agree with plain index arithmetic.
#include <doctest/doctest.h>

#include <vector>

#include "kernels/elementwise/broadcast.h"

namespace pith::kernels {
namespace {

using Dims = std::vector<int64_t>;

Broadcast make(const Dims& y, const Dims& a, const Dims& b) {
  const std::span<const int64_t> operands[] = {a, b};
  return make_broadcast(y, operands);
}

size_t position(const Dims& y, const Dims& operand, size_t flat) {
  size_t at = 0, natural = 1;
  for (size_t back = 0; back < y.size(); ++back) {
    const auto n = static_cast<size_t>(y[y.size() - 1 - back]);
    const size_t index = flat % n;
    flat /= n;
    if (back >= operand.size()) continue;
    const auto own = static_cast<size_t>(operand[operand.size() - 1 - back]);
    at += own == 1 ? 0 : index * natural;
    natural *= own;
  }
  return at;
}

}  // namespace

TEST_CASE("broadcast: every element is met once, with the right operands, from any starting point") {
  const Dims y = {2, 3, 4, 5};
  for (const auto& [a, b] : std::vector<std::pair<Dims, Dims>>{{{2, 3, 4, 5}, {2, 3, 4, 5}},
                                                               {{2, 3, 4, 5}, {}},
                                                               {{2, 3, 4, 5}, {5}},
                                                               {{2, 1, 4, 1}, {3, 1, 5}},
                                                               {{3, 1, 1}, {2, 1, 4, 5}},
                                                               {{1, 1, 1, 5}, {2, 3, 4, 1}}}) {
    const Broadcast shape = make(y, a, b);
    for (size_t begin : {size_t{0}, size_t{1}, size_t{19}, size_t{20}, size_t{60}, size_t{119}}) {
      size_t next = begin;
      each_run(shape, begin, 120, [&](size_t at, const size_t* from, size_t n) {
        CHECK(at == next);
        for (size_t i = 0; i < n; ++i) {
          CHECK(from[0] + i * shape.stride[0][shape.rank - 1] == position(y, a, at + i));
          CHECK(from[1] + i * shape.stride[1][shape.rank - 1] == position(y, b, at + i));
        }
        next += n;
      });
      CHECK(next == 120);
    }
  }
}

TEST_CASE("broadcast: equal shapes merge into one dim, a bias into two") {
  CHECK(make({2, 3, 4}, {2, 3, 4}, {2, 3, 4}).rank == 1);
  CHECK(make({2, 3, 4}, {2, 3, 4}, {1}).rank == 1);
  CHECK(make({2, 3, 4}, {2, 3, 4}, {4}).rank == 2);
  CHECK(make({1, 1}, {1}, {1, 1}).rank == 1);
}

}  // namespace pith::kernels
