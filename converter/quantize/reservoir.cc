// Reservoir sampling, "algorithm R" (Vitter 1985): value n replaces a kept one with probability capacity / n.
#include "converter/quantize/reservoir.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

namespace pith::quantize {
namespace {

// splitmix64's finaliser: a bijection that turns a counter into well-mixed bits.
uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// Uniform in [0, n) by multiply-high; n < 2^32 keeps the product in 64 bits, beyond that 32 random bits no
// longer resolve every slot, but the kept slots are far below 2^32, so the bias stays under 2^-32 * capacity.
uint64_t below(uint64_t n, uint64_t random) {
  if (n <= UINT32_MAX) return ((random >> 32) * n) >> 32;
  return random % n;
}

}  // namespace

Reservoir::Reservoir(size_t capacity, uint64_t seed)
    : capacity_(std::max<size_t>(capacity, 1)), seed_(mix(seed)) {}

void Reservoir::add(std::span<const float> values) {
  for (const float v : values) {
    if (!(std::fabs(v) <= FLT_MAX)) continue;
    ++seen_;
    if (values_.size() < capacity_) {
      values_.push_back(v);
      continue;
    }
    const uint64_t slot = below(seen_, mix(seed_ ^ seen_));
    if (slot < capacity_) values_[slot] = v;
  }
}

}  // namespace pith::quantize
