// 64-bit content hash of items: finds the same item in two data sets, and splits a set without storing a
// list. Not cryptographic. The value is part of reports, so it never changes: little endian, the same on
// every machine.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace pith::data {

// h(bytes, seed). Words of 8 bytes are folded with a 64 x 64 -> 128 bit multiplication; a collision of two
// given items has probability about 2^-64.
uint64_t hash_bytes(std::span<const std::byte> bytes, uint64_t seed = 0);

// Search/proof split by the item's hash: the same item is on the same side in every file and order.
// `proof_share` in [0, 1] is the expected share of items for which this is true.
bool in_proof_split(uint64_t item_hash, double proof_share);

// Items that are in both lists of hashes, as (position in a, first position in b), in order of a.
std::vector<std::pair<int64_t, int64_t>> find_shared_items(std::span<const uint64_t> a,
                                                           std::span<const uint64_t> b);

}  // namespace pith::data
