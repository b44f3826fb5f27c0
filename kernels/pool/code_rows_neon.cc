// Largest and sum of rows of codes with NEON.
#include <arm_neon.h>

#include "kernels/pool/code_rows_vectors.h"

namespace pith::kernels {
namespace {

struct Codes16 {
  using I = uint8x16_t;
  using Words = int16x8_t;
  static constexpr size_t kBytes = 16, kWords = 8;
  static I load(const uint8_t* p) { return vld1q_u8(p); }
  static void store(uint8_t* p, I v) { vst1q_u8(p, v); }
  static I max_signed(I a, I b) {
    return vreinterpretq_u8_s8(vmaxq_s8(vreinterpretq_s8_u8(a), vreinterpretq_s8_u8(b)));
  }
  static I max_unsigned(I a, I b) { return vmaxq_u8(a, b); }
  static Words add16(Words a, Words b) { return vaddq_s16(a, b); }
  static Words words(const uint8_t* p, uint8_t flip) {
    return vmovl_s8(vreinterpret_s8_u8(veor_u8(vld1_u8(p), vdup_n_u8(flip))));
  }
  static void add_to(int32_t* sums, Words v) {
    vst1q_s32(sums, vaddw_s16(vld1q_s32(sums), vget_low_s16(v)));
    vst1q_s32(sums + 4, vaddw_s16(vld1q_s32(sums + 4), vget_high_s16(v)));
  }
};

}  // namespace

void max_of_rows_neon(const CodeRows& x, uint8_t* y) { max_of_rows<Codes16>(x, y); }
void sum_of_rows_neon(const CodeRows& x, int32_t* sums) { sum_of_rows<Codes16>(x, sums); }

}  // namespace pith::kernels
