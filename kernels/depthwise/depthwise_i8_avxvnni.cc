// Depthwise convolution with AVX-VNNI.
#include "kernels/depthwise/depthwise_i8_ymm.h"

namespace pith::kernels {
namespace {

struct YmmVnni : Ymm {
  using Operand = Int;
  static Int operand(Int x) { return x; }
  static void dot(Int& acc, Int x, const Int& w) { acc = _mm256_dpbusd_avx_epi32(acc, x, w); }
};
struct XmmVnni : Xmm {
  using Operand = Int;
  static Int operand(Int x) { return x; }
  static void dot(Int& acc, Int x, const Int& w) { acc = _mm_dpbusd_avx_epi32(acc, x, w); }
};

}  // namespace

void depthwise_i8_avxvnni(const DepthwiseI8Rows& a) { depthwise_ymm_blocks<YmmVnni, XmmVnni, 2>(a, 0); }

}  // namespace pith::kernels
