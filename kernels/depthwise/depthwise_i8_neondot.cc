// Depthwise convolution with sdot.
#include "kernels/depthwise/depthwise_i8_quad.h"

namespace pith::kernels {
namespace {

struct QuadDot : NeonQuad {
  static constexpr bool kManyRegisters = true;
  static void dot(Int& acc, Int x, Int w) {
    acc = bytes(vdotq_s32(words(acc), vreinterpretq_s8_u8(x), vreinterpretq_s8_u8(w)));
  }
};

}  // namespace

void depthwise_i8_neondot(const DepthwiseI8Rows& a) { depthwise_quads<QuadDot>(a); }

}  // namespace pith::kernels
