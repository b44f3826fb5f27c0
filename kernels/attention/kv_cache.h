// The bytes of a key and value cache, and how tokens get into it. One KV head of one sequence is a sequence of blocks of 64
// tokens; a block is a sequence of planes, all multiples of 64 bytes, and is read once, from front to back. The same bytes
// serve every instruction set. D: key depth, E: value depth, Dp: D rounded up to 4, t: token of the block.
//
//   i8    K   4 tiles of Dp/4 rows of 64       byte tile*16*Dp + r*64 + (t%16)*4 + j = key[t][4r + j], s8 in [-127, 127]
//         KS  i32[64] -128 * sum of the key | f32[64] scale
//         V   ceil(E/16) chunks of 16 rows of 64   byte chunk*1024 + (t/4)*64 + (e%16)*4 + t%4 = value[t][e]
//         VS  f32[64] scale
//   f16   K   4 tiles of D rows of 32          half tile*16*D + d*16 + t%16 = key[t][d]
//         V   ceil(E/16) chunks of 64 rows of 32   half chunk*1024 + t*16 + e%16 = value[t][e]
//
// i8: token = scale * codes, scale = max |x| / 127, one for the key and one for the value; a token with max |x| below 1e-30 is
// zero, one with NaN or infinity has scale NaN. f16: rounded to nearest even. Codes behind D and E are zero.
//
// Example, i8, D = E = 128: K 8192, KS 512, V 8192, VS 256: a block has 17152 bytes, 268 per token. Token 70, key[5] is in
// block 1 (t = 6), tile 0, row 1, byte 17152 + 64 + 6*4 + 1.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/types.h"

namespace pith::kernels {

enum class KvKind : uint8_t { f16 = 0, i8 = 1 };

inline constexpr size_t kKvBlock = 64;  // tokens
inline constexpr size_t kKvTile = 16;   // tokens of a key tile, channels of a value chunk
inline constexpr size_t kKvMaxDepth = 4096;

struct KvShape {
  KvKind kind = KvKind::f16;
  size_t depth = 0, value_depth = 0;  // 1 .. kKvMaxDepth
};

// Byte offsets in a block, and sizes.
struct KvPlanes {
  size_t key_tile = 0, key_sums = 0, key_scales = 0, values = 0, value_chunk = 0, value_scales = 0, block = 0;
  size_t key_steps = 0;     // rows of a tile
  size_t value_chunks = 0;  // of 16 channels
};
[[gnu::always_inline]] constexpr KvPlanes kv_planes(const KvShape& s) {
  KvPlanes p;
  const bool i8 = s.kind == KvKind::i8;
  p.key_steps = i8 ? (s.depth + 3) / 4 : s.depth;
  p.key_tile = p.key_steps * (i8 ? 64 : 32);
  p.value_chunks = (s.value_depth + kKvTile - 1) / kKvTile;
  p.value_chunk = i8 ? 1024 : 2048;
  p.key_sums = 4 * p.key_tile;
  p.key_scales = p.key_sums + (i8 ? 256 : 0);
  p.values = p.key_scales + (i8 ? 256 : 0);
  p.value_scales = p.values + p.value_chunks * p.value_chunk;
  p.block = p.value_scales + (i8 ? 256 : 0);
  return p;
}
static_assert(kv_planes({KvKind::i8, 128, 128}).block == 17152);
static_assert(kv_planes({KvKind::f16, 128, 128}).block == 4 * 8192);

// Blocks that hold so many tokens.
constexpr size_t kv_blocks(size_t tokens) { return (tokens + kKvBlock - 1) / kKvBlock; }

// Writes `count` tokens to places `first`.. of the head that starts at `cache`; rows of key and value lie their strides
// (in floats) apart. A token that opens a block clears it first, so nothing read later is left over from before.
struct KvTokens {
  const float* key = nullptr;
  size_t key_stride = 0;
  const float* value = nullptr;
  size_t value_stride = 0;
  size_t first = 0, count = 0;
};
void kv_append(const KvShape& shape, const KvTokens& tokens, uint8_t* cache);

// What the cache holds, for tests and for those who move it elsewhere.
void kv_read_key(const KvShape& shape, const uint8_t* cache, size_t token, float* key);
void kv_read_value(const KvShape& shape, const uint8_t* cache, size_t token, float* value);

}  // namespace pith::kernels
