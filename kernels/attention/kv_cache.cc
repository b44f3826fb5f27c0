// Tokens into the cache and out of it. Plain code: a token is written once and read as long as it is remembered.
#include "kernels/attention/kv_cache.h"

#include <cmath>
#include <cstring>

#include "kernels/base/float16.h"
#include "kernels/base/requant.h"

namespace pith::kernels {
namespace {

float* floats_at(uint8_t* p) { return static_cast<float*>(static_cast<void*>(p)); }
const float* floats_at(const uint8_t* p) { return static_cast<const float*>(static_cast<const void*>(p)); }

// Where element i of a token lies in plane K, or V; j counts bytes (i8) or halves (f16).
struct Place {
  const KvPlanes& p;
  bool i8;
  size_t t;  // of the block
  size_t key(size_t i) const {
    const size_t tile = t / kKvTile * p.key_tile, in = t % kKvTile;
    return i8 ? tile + i / 4 * 64 + in * 4 + i % 4 : tile + i * 32 + in * 2;
  }
  size_t value(size_t i) const {
    const size_t chunk = p.values + i / kKvTile * p.value_chunk, in = i % kKvTile;
    return i8 ? chunk + t / 4 * 64 + in * 4 + t % 4 : chunk + t * 32 + in * 2;
  }
};

float largest_magnitude(const float* x, size_t n) {  // NaN if one is not finite
  float top = 0, poison = 0;
  for (size_t i = 0; i < n; ++i) {
    top = std::fabs(x[i]) > top ? std::fabs(x[i]) : top;
    poison += x[i] * 0.0f;
  }
  return poison == 0 ? top : NAN;
}

// Codes through `put(i, code)`; returns the scale.
template <class Put>
float put_codes(const float* x, size_t n, const Put& put) {
  const float top = largest_magnitude(x, n);
  if (!(top >= 1e-30f)) return std::isnan(top) ? top : 0.0f;
  const float inverse = 127.0f / top;
  for (size_t i = 0; i < n; ++i) put(i, static_cast<int8_t>(round_half_even_small(x[i] * inverse)));
  return top / 127.0f;
}

void put_half(uint8_t* to, float x) {
  const f16 h = to_f16(x);
  std::memcpy(to, &h.bits, sizeof h.bits);
}
float half_at(const uint8_t* from) {
  f16 h;
  std::memcpy(&h.bits, from, sizeof h.bits);
  return to_float(h);
}

}  // namespace

void kv_append(const KvShape& s, const KvTokens& tokens, uint8_t* cache) {
  const KvPlanes p = kv_planes(s);
  for (size_t n = 0; n < tokens.count; ++n) {
    const size_t token = tokens.first + n, t = token % kKvBlock;
    uint8_t* block = cache + token / kKvBlock * p.block;
    if (t == 0) std::memset(block, 0, p.block);
    const Place at{p, s.kind == KvKind::i8, t};
    const float* key = tokens.key + n * tokens.key_stride;
    const float* value = tokens.value + n * tokens.value_stride;
    if (s.kind == KvKind::f16) {
      for (size_t i = 0; i < s.depth; ++i) put_half(block + at.key(i), key[i]);
      for (size_t i = 0; i < s.value_depth; ++i) put_half(block + at.value(i), value[i]);
      continue;
    }
    int32_t sum = 0;
    for (size_t i = 0; i < s.depth; ++i) block[at.key(i)] = 0;  // a place may be written again
    for (size_t i = 0; i < s.value_depth; ++i) block[at.value(i)] = 0;
    floats_at(block + p.key_scales)[t] = put_codes(key, s.depth, [&](size_t i, int8_t code) {
      block[at.key(i)] = static_cast<uint8_t>(code);
      sum += code;
    });
    sum *= -128;
    std::memcpy(block + p.key_sums + t * sizeof sum, &sum, sizeof sum);
    floats_at(block + p.value_scales)[t] = put_codes(value, s.value_depth, [&](size_t i, int8_t code) {
      block[at.value(i)] = static_cast<uint8_t>(code);
    });
  }
}

void kv_read_key(const KvShape& s, const uint8_t* cache, size_t token, float* key) {
  const KvPlanes p = kv_planes(s);
  const uint8_t* block = cache + token / kKvBlock * p.block;
  const Place at{p, s.kind == KvKind::i8, token % kKvBlock};
  for (size_t i = 0; i < s.depth; ++i)
    key[i] = at.i8 ? static_cast<float>(static_cast<int8_t>(block[at.key(i)])) *
                         floats_at(block + p.key_scales)[at.t]
                   : half_at(block + at.key(i));
}

void kv_read_value(const KvShape& s, const uint8_t* cache, size_t token, float* value) {
  const KvPlanes p = kv_planes(s);
  const uint8_t* block = cache + token / kKvBlock * p.block;
  const Place at{p, s.kind == KvKind::i8, token % kKvBlock};
  for (size_t i = 0; i < s.value_depth; ++i)
    value[i] = at.i8 ? static_cast<float>(static_cast<int8_t>(block[at.value(i)])) *
                           floats_at(block + p.value_scales)[at.t]
                     : half_at(block + at.value(i));
}

}  // namespace pith::kernels
