// Attention over a cache, AVX2: signed query codes by |key| times the query with the key's sign; all codes lie within 127, so
// the sum of two products fits 16 bits.
#include <immintrin.h>

#include "kernels/attention/code_dots_x86.h"

namespace pith::kernels {
namespace {

struct Avx2Codes : YmmCodes {
  static constexpr size_t kRows = 2, kSums = 4, kUnroll = 1;  // GCC 12 spills the sums of larger ones
  PITH_INLINE static Acc start(const int32_t*) { return zero(); }
  template <bool kSigned>
  PITH_INLINE static Acc dot(Acc i, W w, const uint8_t* a) {
    const W q = quad(a);
    const W pairs = kSigned ? _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(q, w))
                            : _mm256_maddubs_epi16(q, w);
    return _mm256_add_epi32(i, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

}  // namespace

void cached_attention_i8_avx2(const CachedAttention& a, Range rows, Range blocks, const AttentionState& out) {
  attend<Avx2Codes, KvKind::i8>(a, rows, blocks, out);
}
void cached_attention_f16_avx2(const CachedAttention& a, Range rows, Range blocks,
                               const AttentionState& out) {
  attend<YmmCodes, KvKind::f16>(a, rows, blocks, out);
}

}  // namespace pith::kernels
