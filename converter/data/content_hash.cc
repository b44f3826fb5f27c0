// Multiply-fold hash and the split derived from it.
#include "converter/data/content_hash.h"

#include <bit>
#include <unordered_map>

namespace pith::data {
namespace {

// Odd constants with evenly spread bits: the fractional parts of sqrt(2), sqrt(3) and sqrt(5), made odd.
constexpr uint64_t kA = 0x6a09e667f3bcc909, kB = 0xbb67ae8584caa73b, kC = 0x3c6ef372fe94f82b;

uint64_t fold(uint64_t x, uint64_t y) {
  const unsigned __int128 product = static_cast<unsigned __int128>(x) * y;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t load(std::span<const std::byte> bytes) {  // up to 8 bytes, little endian
  uint64_t word = 0;
  for (size_t i = bytes.size(); i-- > 0;) word = word << 8 | std::to_integer<uint64_t>(bytes[i]);
  return word;
}

}  // namespace

uint64_t hash_bytes(std::span<const std::byte> bytes, uint64_t seed) {
  uint64_t h = fold(seed ^ kA, bytes.size() ^ kB);
  // The rotation keeps a word that makes one product 0 from erasing all that came before it.
  const auto mix = [&](uint64_t word) { h = fold(h ^ word, kB ^ std::rotl(h, 29)) + kC; };
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) mix(load(bytes.first(8)));
  if (!bytes.empty()) mix(load(bytes));
  h ^= h >> 32;
  h = fold(h ^ kA, kC);
  return h ^ h >> 29;
}

bool in_proof_split(uint64_t item_hash, double proof_share) {
  // Hashed again, so that a hash table or a subset chosen by low bits is independent of the split.
  const uint64_t mixed = fold(item_hash ^ kC, kA);
  return static_cast<double>(mixed >> 11) * 0x1p-53 < proof_share;
}

std::vector<std::pair<int64_t, int64_t>> find_shared_items(std::span<const uint64_t> a,
                                                           std::span<const uint64_t> b) {
  std::unordered_map<uint64_t, int64_t> place;
  for (size_t i = 0; i < b.size(); ++i) place.emplace(b[i], static_cast<int64_t>(i));
  std::vector<std::pair<int64_t, int64_t>> shared;
  for (size_t i = 0; i < a.size(); ++i)
    if (const auto at = place.find(a[i]); at != place.end())
      shared.emplace_back(static_cast<int64_t>(i), at->second);
  return shared;
}

}  // namespace pith::data
