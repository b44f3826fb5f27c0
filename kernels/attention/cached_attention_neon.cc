// Attention over a cache, ARMv7 and ARMv8.0: byte products in 16 bits (codes lie within 127), folded into 32 at once.
#include "kernels/attention/cached_attention_tiles.h"

namespace pith::kernels {
namespace {

struct NeonCodes {
  using Float = F32x4;
  using W = int8x16_t;
  struct Acc {  // lanes 0 and 1, lanes 2 and 3, two parts each
    int32x4_t low, high;
  };
#if defined(__aarch64__)
  static constexpr size_t kRows = 2, kSums = 8, kUnroll = 1;
#else
  static constexpr size_t kRows = 1, kSums = 4, kUnroll = 1;
#endif
  PITH_INLINE static W load(const uint8_t* p) { return vreinterpretq_s8_u8(vld1q_u8(p)); }
  PITH_INLINE static Acc zero() { return {vdupq_n_s32(0), vdupq_n_s32(0)}; }
  PITH_INLINE static Acc start(const int32_t*) { return zero(); }
  template <bool>
  PITH_INLINE static Acc dot(Acc i, W w, const uint8_t* a) {
    uint32_t four;
    __builtin_memcpy(&four, a, 4);
    const int8x8_t q = vreinterpret_s8_u32(vdup_n_u32(four));
    return {vpadalq_s16(i.low, vmull_s8(vget_low_s8(w), q)),
            vpadalq_s16(i.high, vmull_s8(vget_high_s8(w), q))};
  }
  PITH_INLINE static int32x4_t finish(Acc i) {
    return vcombine_s32(vpadd_s32(vget_low_s32(i.low), vget_high_s32(i.low)),
                        vpadd_s32(vget_low_s32(i.high), vget_high_s32(i.high)));
  }
};

}  // namespace

void cached_attention_i8_neon(const CachedAttention& a, Range rows, Range blocks, const AttentionState& out) {
  attend<NeonCodes, KvKind::i8>(a, rows, blocks, out);
}
void cached_attention_f16_neon(const CachedAttention& a, Range rows, Range blocks,
                               const AttentionState& out) {
  attend<NeonCodes, KvKind::f16>(a, rows, blocks, out);
}

}  // namespace pith::kernels
