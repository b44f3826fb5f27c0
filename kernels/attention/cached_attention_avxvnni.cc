// Attention over a cache, AVX-VNNI.
#include <immintrin.h>

#define PITH_DPBUSD _mm256_dpbusd_avx_epi32
#include "kernels/attention/code_dots_x86.h"

namespace pith::kernels {

void cached_attention_i8_avxvnni(const CachedAttention& a, Range rows, Range blocks,
                                 const AttentionState& out) {
  attend<YmmCodes, KvKind::i8>(a, rows, blocks, out);
}

}  // namespace pith::kernels
