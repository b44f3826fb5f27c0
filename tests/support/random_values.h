// Small deterministic random numbers for tests; the same sequence on every machine.
#pragma once
#include <cstdint>
#include <vector>

namespace pith::test {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  uint32_t next() {  // splitmix64
    state_ += 0x9E3779B97F4A7C15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return static_cast<uint32_t>((z ^ (z >> 31)) >> 32);
  }
  // In [lo, hi].
  int64_t integer(int64_t lo, int64_t hi) {
    return lo + static_cast<int64_t>(next() % static_cast<uint64_t>(hi - lo + 1));
  }
  // In [lo, hi), a multiple of (hi - lo) / 2^16.
  float real(float lo, float hi) { return lo + (hi - lo) * static_cast<float>(next() >> 16) / 65536.0f; }

  std::vector<float> reals(int64_t n, float lo = -1, float hi = 1) {
    std::vector<float> v(static_cast<size_t>(n));
    for (float& x : v) x = real(lo, hi);
    return v;
  }
  template <class T>
  std::vector<T> integers(int64_t n, int64_t lo, int64_t hi) {
    std::vector<T> v(static_cast<size_t>(n));
    for (T& x : v) x = static_cast<T>(integer(lo, hi));
    return v;
  }

 private:
  uint64_t state_;
};

}  // namespace pith::test
