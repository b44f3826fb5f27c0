// XXH64 and CRC-32C, little endian.
#include "runtime/base/hash.h"

#include <bit>
#include <cstring>

namespace pith {
namespace {

constexpr uint64_t kP1 = 0x9E3779B185EBCA87u, kP2 = 0xC2B2AE3D27D4EB4Fu, kP3 = 0x165667B19E3779F9u,
                   kP4 = 0x85EBCA77C2B2AE63u, kP5 = 0x27D4EB2F165667C5u;

template <class T>
uint64_t load(const uint8_t* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}
uint64_t round_lane(uint64_t lane, uint64_t input) { return std::rotl(lane + input * kP2, 31) * kP1; }
uint64_t merge(uint64_t hash, uint64_t lane) { return (hash ^ round_lane(0, lane)) * kP1 + kP4; }

// Four independent lanes of 8 bytes each: the loop the whole speed comes from.
uint64_t hash_stripes(const uint8_t*& p, size_t& left, uint64_t seed) {
  uint64_t a = seed + kP1 + kP2, b = seed + kP2, c = seed, d = seed - kP1;
  for (; left >= 32; left -= 32, p += 32) {
    a = round_lane(a, load<uint64_t>(p));
    b = round_lane(b, load<uint64_t>(p + 8));
    c = round_lane(c, load<uint64_t>(p + 16));
    d = round_lane(d, load<uint64_t>(p + 24));
  }
  const uint64_t hash = std::rotl(a, 1) + std::rotl(b, 7) + std::rotl(c, 12) + std::rotl(d, 18);
  return merge(merge(merge(merge(hash, a), b), c), d);
}

}  // namespace

uint64_t hash64(const void* data, size_t size, uint64_t seed) {
  const auto* p = static_cast<const uint8_t*>(data);
  size_t left = size;
  uint64_t h = size >= 32 ? hash_stripes(p, left, seed) : seed + kP5;
  h += size;
  for (; left >= 8; left -= 8, p += 8) h = std::rotl(h ^ round_lane(0, load<uint64_t>(p)), 27) * kP1 + kP4;
  if (left >= 4) {
    h = std::rotl(h ^ load<uint32_t>(p) * kP1, 23) * kP2 + kP3;
    left -= 4, p += 4;
  }
  for (; left > 0; --left, ++p) h = std::rotl(h ^ *p * kP5, 11) * kP1;
  h = (h ^ h >> 33) * kP2;
  h = (h ^ h >> 29) * kP3;
  return h ^ h >> 32;
}

uint32_t crc32c(const void* data, size_t size) {
  const auto* p = static_cast<const uint8_t*>(data);
  uint32_t crc = ~0u;
  for (size_t i = 0; i < size; ++i) {
    crc ^= p[i];
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1u ? 0x82F63B78u : 0u);
  }
  return ~crc;
}

}  // namespace pith
