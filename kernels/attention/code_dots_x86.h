// Dot products of attention with 256-bit VNNI; PITH_DPBUSD names the instruction's encoding. Included by ISA files only.
#pragma once
#include "kernels/attention/cached_attention_tiles.h"

namespace pith::kernels {
namespace {

struct YmmCodes {
  using Float = F32x8;
  using W = __m256i;
  using Acc = __m256i;
  static constexpr size_t kRows = 4, kSums = 8, kUnroll = 4;
  PITH_INLINE static W load(const uint8_t* p) {
    return _mm256_load_si256(static_cast<const W*>(static_cast<const void*>(p)));
  }
  PITH_INLINE static Acc zero() { return _mm256_setzero_si256(); }
  PITH_INLINE static W quad(const uint8_t* a) {
    int32_t four;
    __builtin_memcpy(&four, a, 4);
    return _mm256_set1_epi32(four);
  }
  PITH_INLINE static Acc finish(Acc i) { return i; }
#ifdef PITH_DPBUSD
  PITH_INLINE static Acc start(const int32_t* sums) {
    return _mm256_load_si256(static_cast<const Acc*>(static_cast<const void*>(sums)));
  }
  template <bool>
  PITH_INLINE static Acc dot(Acc i, W w, const uint8_t* a) {
    return PITH_DPBUSD(i, quad(a), w);
  }
#endif
};

}  // namespace
}  // namespace pith::kernels
