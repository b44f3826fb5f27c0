// Sessions share their runs with other threads when, and as long as, that is quicker.
#include "runtime/threads/team_policy.h"

#include <doctest/doctest.h>

namespace pith {
namespace {

// Of `runs` runs that take `shared` or `alone` ns: how many were shared.
int shared_of(TeamPolicy* policy, int runs, uint64_t shared, uint64_t alone) {
  int count = 0;
  for (int i = 0; i < runs; ++i) {
    const bool shares = policy->shares();
    count += shares;
    policy->ran(shares ? shared : alone);
  }
  return count;
}

}  // namespace

TEST_CASE("sharing that is quicker goes on, but for rare trials") {
  TeamPolicy policy;
  CHECK(policy.shares());
  CHECK(shared_of(&policy, 1000, 60, 100) > 960);
}

TEST_CASE("sharing that is slower stops after a few runs") {
  TeamPolicy policy;
  CHECK(shared_of(&policy, 1000, 120, 100) < 40);
}

TEST_CASE("when conditions change the other way is found within some hundred runs, both ways round") {
  TeamPolicy policy;
  shared_of(&policy, 3000, 6000, 10000);
  CHECK(shared_of(&policy, 300, 90000, 10000) < 150);  // somebody took the other processors
  shared_of(&policy, 3000, 90000, 10000);
  CHECK(shared_of(&policy, 2000, 6000, 10000) > 900);  // and left again
}

TEST_CASE("one run that takes long by accident changes nothing") {
  TeamPolicy policy;
  shared_of(&policy, 100, 6000, 10000);
  policy.ran(50'000'000);
  CHECK(shared_of(&policy, 200, 6000, 10000) > 185);
}

}  // namespace pith
