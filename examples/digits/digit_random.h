// The digits' own random numbers: integers only, so every compiler and platform draws the same images.
//   DigitRandom r(seed, image_index);  int label = r.below(10);
// Two draws in one expression have no fixed order in C++ (except inside braces): give each its own statement.
#pragma once

#include <cstdint>

namespace pith::examples {

class DigitRandom {
 public:
  // Streams of one seed are independent: image i depends on (seed, i) alone, never on the images before it.
  DigitRandom(uint64_t seed, uint64_t stream) : state_(mixed(seed ^ mixed(stream + kGolden))) {}

  uint64_t next() { return mixed(state_ += kGolden); }

  // 0 .. n-1, n >= 1. The multiply-shift is biased by less than n / 2^32.
  int below(int n) { return static_cast<int>(((next() >> 32) * static_cast<uint64_t>(n)) >> 32); }

  // lo .. hi, both included.
  int between(int lo, int hi) { return lo + below(hi - lo + 1); }

  // Bell-shaped about 0 with standard deviation `deviation`, never beyond 3.5 of them: the sum of four
  // uniform numbers in -a..a has variance 4 a^2 / 3, so a = deviation * sqrt(3) / 2 (887 / 1024).
  int around_zero(int deviation) {
    const int a = deviation * 887 / 1024;
    int sum = 0;
    for (int i = 0; i < 4; ++i) sum += between(-a, a);
    return sum;
  }

  bool chance(int per_mille) { return below(1000) < per_mille; }

 private:
  static constexpr uint64_t kGolden = 0x9e3779b97f4a7c15u;  // 2^64 / golden ratio, the step of SplitMix64

  // The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
  static constexpr uint64_t mixed(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  uint64_t state_;
};

}  // namespace pith::examples
