// Uniform random sample of a stream in fixed memory: each value seen has the same chance to be kept.
// Integer arithmetic only, so the same stream gives the same sample on every machine.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pith::quantize {

class Reservoir {
 public:
  static constexpr size_t kDefaultCapacity = 8192;

  explicit Reservoir(size_t capacity = kDefaultCapacity, uint64_t seed = 1);

  void add(std::span<const float> values);  // NaN and infinities are skipped
  std::span<const float> values() const { return values_; }
  uint64_t seen() const { return seen_; }  // finite values offered

 private:
  std::vector<float> values_;
  size_t capacity_;
  uint64_t seed_;
  uint64_t seen_ = 0;
};

}  // namespace pith::quantize
