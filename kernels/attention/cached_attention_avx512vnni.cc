// Attention over a cache, AVX-512 VNNI: a vector is a row of the cache.
#include <immintrin.h>

#define PITH_DPBUSD _mm256_dpbusd_epi32
#include "kernels/attention/code_dots_x86.h"

namespace pith::kernels {
namespace {

struct ZmmCodes {
  using Float = F32x16;
  using W = __m512i;
  using Acc = __m512i;
  static constexpr size_t kRows = 8, kSums = 8, kUnroll = 4;
  PITH_INLINE static W load(const uint8_t* p) { return _mm512_load_si512(p); }
  PITH_INLINE static Acc zero() { return _mm512_setzero_si512(); }
  PITH_INLINE static Acc start(const int32_t* sums) { return _mm512_load_si512(sums); }
  template <bool>
  PITH_INLINE static Acc dot(Acc i, W w, const uint8_t* a) {
    int32_t four;
    __builtin_memcpy(&four, a, 4);
    return _mm512_dpbusd_epi32(i, _mm512_set1_epi32(four), w);
  }
  PITH_INLINE static Acc finish(Acc i) { return i; }
};

}  // namespace

void cached_attention_i8_avx512vnni(const CachedAttention& a, Range rows, Range blocks,
                                    const AttentionState& out) {
  attend<ZmmCodes, KvKind::i8>(a, rows, blocks, out);
}
void cached_attention_f16_avx512vnni(const CachedAttention& a, Range rows, Range blocks,
                                     const AttentionState& out) {
  attend<ZmmCodes, KvKind::f16>(a, rows, blocks, out);
}
void cached_attention_i8_ymm(const CachedAttention& a, Range rows, Range blocks, const AttentionState& out) {
  attend<YmmCodes, KvKind::i8>(a, rows, blocks, out);
}

}  // namespace pith::kernels
