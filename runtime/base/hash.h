// Content hash (XXH64, public specification by Y. Collet) and header checksum (CRC-32C). Integrity, not
// authenticity.
#pragma once
#include <cstddef>
#include <cstdint>

namespace pith {

uint64_t hash64(const void* data, size_t size, uint64_t seed = 0);

// The same hash of bytes that arrive in pieces.
class Hash64 {
 public:
  explicit Hash64(uint64_t seed = 0);
  void update(const void* data, size_t size);
  uint64_t digest() const;

 private:
  uint64_t lanes_[4];
  uint64_t seed_, total_ = 0;
  uint8_t buffer_[32];
  size_t buffered_ = 0;
};

uint32_t crc32c(const void* data, size_t size);

}  // namespace pith
