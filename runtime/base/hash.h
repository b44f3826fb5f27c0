// Content hash (XXH64, public specification by Y. Collet) and header checksum (CRC-32C). Integrity, not
// authenticity.
#pragma once
#include <cstddef>
#include <cstdint>

namespace pith {

uint64_t hash64(const void* data, size_t size, uint64_t seed = 0);
uint32_t crc32c(const void* data, size_t size);

}  // namespace pith
