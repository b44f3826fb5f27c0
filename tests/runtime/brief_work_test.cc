// When brief work is shared with other threads.
#include "runtime/threads/brief_work.h"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

namespace pith {
namespace {

void stall(BriefWork* work) {
  REQUIRE(work->may_share());
  std::this_thread::sleep_for(std::chrono::milliseconds(3));
  work->shared();
}

int rest_of(BriefWork* work) {
  int runs = 0;
  while (!work->may_share()) ++runs;
  return runs;
}

}  // namespace

TEST_CASE("brief work that had to wait for its threads stays on the caller, twice as long after each time") {
  BriefWork work;
  work.expect(true);
  stall(&work);
  const int first = rest_of(&work);
  CHECK(first > 0);
  stall(&work);
  CHECK(rest_of(&work) == 2 * first);
}

TEST_CASE("brief work is shared as long as that is quick, and long work always") {
  BriefWork brief, longer;
  brief.expect(true);
  REQUIRE(brief.may_share());
  brief.shared();
  CHECK(brief.may_share());
  stall(&longer);
  CHECK(longer.may_share());
}

}  // namespace pith
