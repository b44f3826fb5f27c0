// Greedy-by-size offset assignment.
#include "runtime/plan/memory_planner.h"

#include <algorithm>
#include <numeric>

namespace pith {
namespace {

uint64_t rounded(uint64_t bytes) {
  return (bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
}

// The smallest gap between buffers alive at the same time that holds `bytes`; else the end of the last of
// them.
uint64_t best_offset(const BufferRequest& wanted, const std::vector<const BufferRequest*>& placed_by_offset) {
  const uint64_t bytes = rounded(wanted.bytes);
  uint64_t cursor = 0, best = UINT64_MAX, best_gap = UINT64_MAX;
  for (const BufferRequest* other : placed_by_offset) {
    if (other->last < wanted.first || other->first > wanted.last) continue;
    if (other->offset >= cursor) {
      const uint64_t gap = other->offset - cursor;
      if (gap >= bytes && gap < best_gap) best = cursor, best_gap = gap;
    }
    cursor = std::max(cursor, other->offset + rounded(other->bytes));
  }
  return best == UINT64_MAX ? cursor : best;
}

}  // namespace

uint64_t plan_memory(std::vector<BufferRequest>& requests) {
  std::vector<size_t> order(requests.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return requests[a].bytes > requests[b].bytes; });
  std::vector<const BufferRequest*> placed;
  placed.reserve(requests.size());
  uint64_t total = 0;
  for (size_t i : order) {
    BufferRequest& r = requests[i];
    if (r.bytes == 0) continue;
    r.offset = best_offset(r, placed);
    total = std::max(total, r.offset + rounded(r.bytes));
    const auto at =
        std::upper_bound(placed.begin(), placed.end(), r.offset,
                         [](uint64_t offset, const BufferRequest* p) { return offset < p->offset; });
    placed.insert(at, &r);
  }
  return total;
}

}  // namespace pith
