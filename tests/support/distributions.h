// Samples of known distributions for calibration tests: the same numbers on every machine.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pith::testing {

class Draw {
 public:
  explicit Draw(uint64_t seed) : state_(seed) {}
  double uniform() {  // in (0, 1)
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (static_cast<double>(z >> 11) + 0.5) * 0x1p-53;
  }
  double normal() { return std::sqrt(-2 * std::log(uniform())) * std::cos(6.283185307179586 * uniform()); }
  double laplace() {  // mean magnitude 1
    const double u = uniform() - 0.5;
    return u < 0 ? std::log(1 + 2 * u) : -std::log(1 - 2 * u);
  }
  template <class F>
  std::vector<float> many(size_t n, F f) {
    std::vector<float> v(n);
    for (float& x : v) x = static_cast<float>(f(*this));
    return v;
  }

 private:
  uint64_t state_;
};

inline std::vector<float> uniforms(size_t n, double low, double high, uint64_t seed = 1) {
  return Draw(seed).many(n, [=](Draw& d) { return low + (high - low) * d.uniform(); });
}
inline std::vector<float> normals(size_t n, double mean = 0, double sigma = 1, uint64_t seed = 1) {
  return Draw(seed).many(n, [=](Draw& d) { return mean + sigma * d.normal(); });
}
inline std::vector<float> laplaces(size_t n, uint64_t seed = 1) {
  return Draw(seed).many(n, [](Draw& d) { return d.laplace(); });
}
inline std::vector<float> relu(std::vector<float> v) {
  for (float& x : v) x = std::max(x, 0.0f);
  return v;
}

}  // namespace pith::testing
