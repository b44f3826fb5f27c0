// Writes drawn digits as a dataset folder that every pith command reads with --data:
//   inputs.npy  float32 [count,1,28,28], 0 paper .. 1 ink        labels.npy  int64 [count], the digit
#pragma once

#include <cstdint>
#include <string>

namespace pith::examples {

inline constexpr uint64_t kMaxDigitCount = 10'000'000;  // 31 GB of pictures: more is a slip of the finger

// Creates the folder where needed and replaces the two files only when both are complete. Empty: done;
// otherwise what failed and where. `count` is 1..kMaxDigitCount.
[[nodiscard]] std::string write_digit_dataset(const std::string& folder, uint64_t count, uint64_t seed);

}  // namespace pith::examples
