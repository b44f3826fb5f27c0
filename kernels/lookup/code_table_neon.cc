// Table lookup with NEON of 64-bit processors: tbl looks up 64 entries and gives 0 for an index beyond them. The table stays in 16
// registers. (ARMv7 looks up 32 entries and has no registers to spare: there plain loads are quicker.)
#include <arm_neon.h>

#include "kernels/lookup/code_table.h"

#if defined(__aarch64__)
namespace pith::kernels {

void code_table_neon(const uint8_t* x, uint8_t* y, size_t n, const uint8_t* table) {
  size_t i = 0;
  if (n >= 64) {  // less is not worth the loads
    const uint8x16x4_t t0 = vld1q_u8_x4(table), t1 = vld1q_u8_x4(table + 64);
    const uint8x16x4_t t2 = vld1q_u8_x4(table + 128), t3 = vld1q_u8_x4(table + 192);
    const uint8x16_t step = vdupq_n_u8(64);
    for (; i + 16 <= n; i += 16) {
      const uint8x16_t a = vld1q_u8(x + i), b = vsubq_u8(a, step), c = vsubq_u8(b, step),
                       d = vsubq_u8(c, step);
      const uint8x16_t low = vorrq_u8(vqtbl4q_u8(t0, a), vqtbl4q_u8(t1, b));
      vst1q_u8(y + i, vorrq_u8(low, vorrq_u8(vqtbl4q_u8(t2, c), vqtbl4q_u8(t3, d))));
    }
  }
  for (; i < n; ++i) y[i] = table[x[i]];
}

}  // namespace pith::kernels
#endif
