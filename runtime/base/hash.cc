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

// One stripe of 32 bytes into four independent lanes: the loop the whole speed comes from.
void add_stripe(uint64_t lanes[4], const uint8_t* p) {
  for (int i = 0; i < 4; ++i) lanes[i] = round_lane(lanes[i], load<uint64_t>(p + 8 * i));
}

}  // namespace

Hash64::Hash64(uint64_t seed) : lanes_{seed + kP1 + kP2, seed + kP2, seed, seed - kP1}, seed_(seed) {}

void Hash64::update(const void* data, size_t size) {
  const auto* p = static_cast<const uint8_t*>(data);
  total_ += size;
  if (buffered_ > 0) {
    const size_t taken = size < 32 - buffered_ ? size : 32 - buffered_;
    if (taken > 0) std::memcpy(buffer_ + buffered_, p, taken);
    buffered_ += taken, p += taken, size -= taken;
    if (buffered_ < 32) return;
    add_stripe(lanes_, buffer_);
    buffered_ = 0;
  }
  for (; size >= 32; size -= 32, p += 32) add_stripe(lanes_, p);
  if (size > 0) std::memcpy(buffer_, p, size);
  buffered_ = size;
}

uint64_t Hash64::digest() const {
  uint64_t h = seed_ + kP5;
  if (total_ >= 32) {
    h = std::rotl(lanes_[0], 1) + std::rotl(lanes_[1], 7) + std::rotl(lanes_[2], 12) +
        std::rotl(lanes_[3], 18);
    for (uint64_t lane : lanes_) h = merge(h, lane);
  }
  h += total_;
  const uint8_t* p = buffer_;
  size_t left = buffered_;
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

uint64_t hash64(const void* data, size_t size, uint64_t seed) {
  Hash64 hash(seed);
  hash.update(data, size);
  return hash.digest();
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
