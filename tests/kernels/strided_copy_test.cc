// Strided copies against one that follows the definition element by element.
#include "kernels/move/strided_copy.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

using namespace pith::kernels;

namespace {

using Bytes = std::vector<uint8_t>;

void copy_by_definition(const StridedViews& v, const uint8_t* x, uint8_t* y, int d = 0) {
  if (d == v.rank) {
    std::memcpy(y, x, v.element_bytes);
    return;
  }
  for (size_t i = 0; i < v.dims[d]; ++i)
    copy_by_definition(v, x + static_cast<ptrdiff_t>(i) * v.x_stride[d],
                       y + static_cast<ptrdiff_t>(i) * v.y_stride[d], d + 1);
}

// Views of a random box: x and y have their dims in their own random order, x may run backwards or repeat.
struct Case {
  StridedViews views;
  size_t x_bytes = 1, y_bytes = 1;
  ptrdiff_t x_first = 0;
};

Case random_case(std::mt19937& rng) {
  auto pick = [&](int n) { return static_cast<int>(rng() % static_cast<unsigned>(n)); };
  Case c;
  c.views.element_bytes = size_t{1} << pick(4);
  c.views.rank = pick(5) + 1;
  std::vector<int> x_order(static_cast<size_t>(c.views.rank)), y_order;
  std::iota(x_order.begin(), x_order.end(), 0);
  y_order = x_order;
  if (pick(3) > 0) std::shuffle(x_order.begin(), x_order.end(), rng);
  if (pick(4) == 0) std::shuffle(y_order.begin(), y_order.end(), rng);
  const int most = c.views.rank <= 2 ? 150 : c.views.rank == 3 ? 20 : 7;
  for (int d = 0; d < c.views.rank; ++d)
    c.views.dims[d] = static_cast<size_t>(pick(most) + (pick(20) > 0 ? 1 : 0));
  size_t stride = c.views.element_bytes;
  for (int d : x_order) {
    if (pick(8) == 0) continue;  // stride 0
    c.views.x_stride[d] = static_cast<ptrdiff_t>(stride);
    stride *= std::max<size_t>(1, c.views.dims[d]) + (pick(4) == 0 ? 1 : 0);  // sometimes a gap
    if (pick(6) == 0 && c.views.dims[d] > 0) {
      c.x_first += c.views.x_stride[d] * static_cast<ptrdiff_t>(c.views.dims[d] - 1);
      c.views.x_stride[d] = -c.views.x_stride[d];
    }
  }
  c.x_bytes = stride;
  stride = c.views.element_bytes;
  for (int d : y_order) {
    c.views.y_stride[d] = static_cast<ptrdiff_t>(stride);
    stride *= std::max<size_t>(1, c.views.dims[d]) + (pick(4) == 0 ? 1 : 0);
  }
  c.y_bytes = stride;
  return c;
}

}  // namespace

TEST_CASE("strided copy: any pair of views gives what the definition gives, in any cutting of the work") {
  std::mt19937 rng(20261123);
  for (int round = 0; round < 3000; ++round) {
    const Case c = random_case(rng);
    CAPTURE(round);
    Bytes x(c.x_bytes), want(c.y_bytes, 0x5A), got(c.y_bytes, 0x5A);
    for (uint8_t& b : x) b = static_cast<uint8_t>(rng());
    copy_by_definition(c.views, x.data() + c.x_first, want.data());
    const StridedCopy plan = plan_strided_copy(c.views);
    for (size_t begin = 0; begin < plan.items;) {
      const size_t end = std::min(plan.items, begin + 1 + rng() % (plan.items + 1));
      strided_copy_ref(plan, x.data() + c.x_first, got.data(), {begin, end});
      begin = end;
    }
    REQUIRE(got == want);
  }
}

TEST_CASE("strided copy: layout changes use blocks, whole copies use one run, repetition fills") {
  StridedViews v{.element_bytes = 4, .rank = 3, .dims = {2, 100, 64}};
  v.x_stride[0] = v.y_stride[0] = 100 * 64 * 4;
  v.y_stride[1] = 64 * 4, v.y_stride[2] = 4;
  v.x_stride[1] = 4, v.x_stride[2] = 400;
  CHECK(plan_strided_copy(v).loop == CopyLoop::transposed);
  v.x_stride[1] = 64 * 4, v.x_stride[2] = 4;
  CHECK(plan_strided_copy(v).loop == CopyLoop::runs);
  CHECK(plan_strided_copy(v).outer_rank == 0);
  v.x_stride[0] = v.x_stride[1] = v.x_stride[2] = 0;
  CHECK(plan_strided_copy(v).loop == CopyLoop::fill);
  CHECK(plan_strided_copy(v).outer_rank == 0);
}

TEST_CASE("strided copy: an empty dim copies nothing") {
  const StridedViews v{.element_bytes = 8, .rank = 2, .dims = {3, 0}, .x_stride = {8, 8}, .y_stride = {8, 8}};
  CHECK(plan_strided_copy(v).items == 0);
}
