// The memory planner: buffers alive together never overlap, and the arena is near the best possible.
#include "runtime/plan/memory_planner.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using pith::BufferRequest;

namespace {

bool overlap(const BufferRequest& a, const BufferRequest& b) {
  const bool time = a.first <= b.last && b.first <= a.last;
  return time && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

uint64_t round_up(uint64_t n) {
  return (n + pith::kBufferAlignment - 1) / pith::kBufferAlignment * pith::kBufferAlignment;
}

// No plan can be smaller than the largest sum of what is alive at one time.
uint64_t lower_bound(const std::vector<BufferRequest>& requests, int64_t end) {
  uint64_t most = 0;
  for (int64_t t = 0; t <= end; ++t) {
    uint64_t sum = 0;
    for (const BufferRequest& r : requests)
      if (r.first <= t && t <= r.last) sum += round_up(r.bytes);
    most = std::max(most, sum);
  }
  return most;
}

}  // namespace

TEST_CASE("planner: a chain needs room for two neighbours") {
  std::vector<BufferRequest> chain;
  for (int64_t i = 0; i < 8; ++i) chain.push_back({1000, i, i + 1, 0});
  CHECK(pith::plan_memory(chain) == 2 * round_up(1000));
}

TEST_CASE("planner: nothing overlaps and the arena stays close to its lower bound on random lifetimes") {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::vector<BufferRequest> requests;
    for (int i = 0; i < 120; ++i) {
      const auto first = static_cast<int64_t>(random() % 100);
      requests.push_back({random() % 10000, first, first + static_cast<int64_t>(random() % 8), 0});
    }
    const uint64_t total = pith::plan_memory(requests);
    for (size_t i = 0; i < requests.size(); ++i) {
      CHECK(requests[i].offset % pith::kBufferAlignment == 0);
      CHECK(requests[i].offset + requests[i].bytes <= total);
      for (size_t j = 0; j < i; ++j) CHECK_FALSE(overlap(requests[i], requests[j]));
    }
    CHECK(static_cast<double>(total) <= 1.3 * static_cast<double>(lower_bound(requests, 110)));
  }
}

TEST_CASE("planner: empty buffers take no room") {
  std::vector<BufferRequest> requests{{0, 0, 5, 0}, {0, 1, 2, 0}};
  CHECK(pith::plan_memory(requests) == 0);
}
