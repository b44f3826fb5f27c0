// Depthwise convolution with AVX2 alone. 3x3: pairs of rows in 16 bits (depthwise_pairs.h). Other windows: |x| times w with the
// sign of x, pairs of products in 16 bits (|sum| <= 32512, since weights stay within +-127), then pairs of pairs.
#include "kernels/depthwise/depthwise_i8_ymm.h"
#include "kernels/depthwise/depthwise_pairs.h"

namespace pith::kernels {
namespace {

struct YmmSign : Ymm {
  struct Operand {
    Int code, magnitude;
  };
  static Operand operand(Int x) { return {x, _mm256_abs_epi8(x)}; }
  static void dot(Int& acc, const Operand& x, const Int& w) {
    const Int pairs = _mm256_maddubs_epi16(x.magnitude, _mm256_sign_epi8(w, x.code));
    acc = _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};
struct XmmSign : Xmm {
  struct Operand {
    Int code, magnitude;
  };
  static Operand operand(Int x) { return {x, _mm_abs_epi8(x)}; }
  static void dot(Int& acc, const Operand& x, const Int& w) {
    const Int pairs = _mm_maddubs_epi16(x.magnitude, _mm_sign_epi8(w, x.code));
    acc = _mm_add_epi32(acc, _mm_madd_epi16(pairs, _mm_set1_epi16(1)));
  }
};

}  // namespace

void depthwise_i8_avx2(const DepthwiseI8Rows& a) {
  if (fits_pairs(a)) return depthwise_pairs(a);
  depthwise_ymm_blocks<YmmSign, XmmSign, 2>(a, 0);
}

}  // namespace pith::kernels
