// Depthwise convolution on ARMv7 and ARMv8.0: products in 16 bits (|w x| <= 127 * 128), added twice in pairs.
#include "kernels/depthwise/depthwise_i8_quad.h"

namespace pith::kernels {
namespace {

struct QuadPairs : NeonQuad {
  static constexpr bool kManyRegisters = false;
  static int32x2_t sums(int8x8_t x, int8x8_t w) {
    const int32x4_t pairs = vpaddlq_s16(vmull_s8(x, w));
    return vpadd_s32(vget_low_s32(pairs), vget_high_s32(pairs));
  }
  static void dot(Int& acc, Int x, Int w) {
    const int8x16_t a = vreinterpretq_s8_u8(x), b = vreinterpretq_s8_u8(w);
    const int32x4_t four =
        vcombine_s32(sums(vget_low_s8(a), vget_low_s8(b)), sums(vget_high_s8(a), vget_high_s8(b)));
    acc = bytes(vaddq_s32(words(acc), four));
  }
};

}  // namespace

void depthwise_i8_neon(const DepthwiseI8Rows& a) { depthwise_quads<QuadPairs>(a); }

}  // namespace pith::kernels
