// Assigns offsets in one arena to buffers with known lifetimes: greedy by size, smallest fitting gap
// (Pisarchyk & Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, Greedy by Size).
#pragma once
#include <cstdint>
#include <vector>

namespace pith {

struct BufferRequest {
  uint64_t bytes = 0;
  int64_t first = 0, last = 0;  // inclusive times; two buffers may share bytes when these do not meet
  uint64_t offset = 0;          // result, a multiple of kBufferAlignment
};
inline constexpr uint64_t kBufferAlignment = 128;

// Fills in offsets and returns the arena size. Sum of bytes must not overflow (the caller has checked each
// against a limit far below 2^63).
uint64_t plan_memory(std::vector<BufferRequest>& requests);

}  // namespace pith
