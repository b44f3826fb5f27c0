// Attention over a cache for 64-bit ARM with dot products.
#include "kernels/attention/cached_attention_tiles.h"

namespace pith::kernels {
namespace {

struct NeonDotCodes {
  using Float = F32x4;
  using W = int8x16_t;
  using Acc = int32x4_t;
  static constexpr size_t kRows = 4, kSums = 16, kUnroll = 4;
  PITH_INLINE static W load(const uint8_t* p) { return vreinterpretq_s8_u8(vld1q_u8(p)); }
  PITH_INLINE static Acc zero() { return vdupq_n_s32(0); }
  PITH_INLINE static Acc start(const int32_t*) { return zero(); }
  template <bool>
  PITH_INLINE static Acc dot(Acc i, W w, const uint8_t* a) {
    uint32_t four;
    __builtin_memcpy(&four, a, 4);
    return vdotq_s32(i, w, vreinterpretq_s8_u32(vdupq_n_u32(four)));
  }
  PITH_INLINE static Acc finish(Acc i) { return i; }
};

}  // namespace

void cached_attention_i8_neondot(const CachedAttention& a, Range rows, Range blocks,
                                 const AttentionState& out) {
  attend<NeonDotCodes, KvKind::i8>(a, rows, blocks, out);
}

}  // namespace pith::kernels
