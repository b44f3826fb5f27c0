// Row codes with NEON: the same IEEE operations as the reference. Adding 1.5 * 2^23 rounds to nearest even on ARMv7 too.
#include <arm_neon.h>

#include "kernels/gemm/row_class_sums.h"

namespace pith::kernels {
namespace {

inline float32x4_t load_part(const float* x, size_t n) {  // n >= 4: all; else the first n, then zeros
  if (n >= 4) return vld1q_f32(x);
  float part[4] = {};
  for (size_t i = 0; i < n; ++i) part[i] = x[i];
  return vld1q_f32(part);
}

inline float lanes_max(float32x4_t v) {
  float32x2_t h = vpmax_f32(vget_low_f32(v), vget_high_f32(v));
  h = vpmax_f32(h, h);
  return vget_lane_f32(h, 0);
}

inline bool has_nan(float32x4_t v) {
  const uint32x4_t equal = vceqq_f32(v, v);
  const uint32x2_t both = vand_u32(vget_low_u32(equal), vget_high_u32(equal));
  return (vget_lane_u32(both, 0) & vget_lane_u32(both, 1)) == 0;
}

// What round_to_code does with zero point 0: clamp to [lo, hi] as floats, round to nearest even. NaN gives lo.
inline int32x4_t to_codes(float32x4_t x, float lo, float hi) {
  const float32x4_t low = vdupq_n_f32(lo), high = vdupq_n_f32(hi);
  x = vbslq_f32(vcgeq_f32(x, low), x, low);
  x = vbslq_f32(vcleq_f32(x, high), x, high);
  const float32x4_t moved = vaddq_f32(x, vdupq_n_f32(12582912.0f));
  return vsubq_s32(vreinterpretq_s32_f32(moved), vdupq_n_s32(0x4B400000));
}

inline int8x16_t pack16(const int32x4_t (&q)[4]) {
  const int16x8_t a = vcombine_s16(vmovn_s32(q[0]), vmovn_s32(q[1]));
  const int16x8_t b = vcombine_s16(vmovn_s32(q[2]), vmovn_s32(q[3]));
  return vcombine_s8(vmovn_s16(a), vmovn_s16(b));
}

void write_sums(RowForm form, int8x16_t first, int8x16_t second, int32_t* sums) {
  const int16x8_t wide = vaddq_s16(vaddl_s8(vget_low_s8(first), vget_high_s8(first)),
                                   vaddl_s8(vget_low_s8(second), vget_high_s8(second)));
  int32_t c[4];
  vst1q_s32(c, vaddl_s16(vget_low_s16(wide), vget_high_s16(wide)));
  write_class_sums(form, c, sums);
}

void block(const float* x, const RowCodes& to, size_t row, size_t b) {
  const size_t begin = b * kRowBlock, count = to.k - begin < kRowBlock ? to.k - begin : kRowBlock;
  float32x4_t top = vdupq_n_f32(0), poison = top;
  for (size_t i = 0; i < count; i += 4) {
    const float32x4_t v = load_part(x + begin + i, count - i);
    top = vmaxq_f32(vabsq_f32(v), top);
    poison = vaddq_f32(poison, vmulq_n_f32(v, 0.0f));
  }
  const bool finite = !has_nan(poison);
  const float most = lanes_max(top);
  const bool zero = !finite || most < 1e-30f;
  float& scale = to.scales[b * to.m + row];
  scale = !finite ? __builtin_nanf("") : zero ? 0.0f : most / 127.0f;
  const float inverse = zero ? 0.0f : 127.0f / most;
  for (size_t i = 0; i < count; i += kRowGroup) {
    const size_t group = (begin + i) / kRowGroup * to.m + row;
    int8x16_t codes[2];
    for (size_t h = 0; h < 2; ++h) {
      int32x4_t q[4];
      for (size_t j = 0; j < 4; ++j) {
        const size_t at = i + 16 * h + 4 * j;
        q[j] = vdupq_n_s32(0);
        if (!zero && at < count)
          q[j] = to_codes(vmulq_n_f32(load_part(x + begin + at, count - at), inverse), -127, 127);
      }
      codes[h] = pack16(q);
      vst1q_s8(to.codes + group * kRowGroup + 16 * h, codes[h]);
    }
    write_sums(to.form, codes[0], codes[1], to.sums + group * sum_words(to.form));
  }
}

inline float32x4_t divided(float32x4_t x, float by) {
#if defined(__aarch64__)
  return vdivq_f32(x, vdupq_n_f32(by));
#else
  float part[4];
  vst1q_f32(part, x);
  for (float& v : part) v /= by;
  return vld1q_f32(part);
#endif
}

void grid_codes(const float* x, const RowCodes& to, size_t row) {
  const RowGrid grid = to.grids[row];
  const auto lo = static_cast<float>(-128 - grid.zero), hi = static_cast<float>(127 - grid.zero);
  const int8x16_t flip = vdupq_n_s8(to.form == RowForm::grid_u8 ? -128 : 0);
  for (size_t g = 0; g < to.groups(); ++g)
    for (size_t h = 0; h < 2; ++h) {
      int32x4_t q[4];
      const size_t begin = g * kRowGroup + 16 * h;
      for (size_t j = 0; j < 4; ++j) {
        const size_t at = begin + 4 * j;
        const float32x4_t v = at < to.k ? load_part(x + at, to.k - at) : vdupq_n_f32(0);
        q[j] = vaddq_s32(to_codes(divided(v, grid.scale), lo, hi), vdupq_n_s32(grid.zero));
      }
      int8_t part[16];
      vst1q_s8(part, pack16(q));
      for (size_t i = begin < to.k ? to.k - begin : 0; i < 16; ++i)
        part[i] = 0;  // as the reference writes it
      vst1q_s8(to.codes + (g * to.m + row) * kRowGroup + 16 * h, veorq_s8(vld1q_s8(part), flip));
    }
}

}  // namespace

RowRange row_range_neon(const float* x, size_t k) {
  float32x4_t lo = vdupq_n_f32(0), hi = lo, poison = lo;
  for (size_t i = 0; i < k; i += 4) {
    const float32x4_t v = load_part(x + i, k - i);
    lo = vminq_f32(v, lo);
    hi = vmaxq_f32(v, hi);
    poison = vaddq_f32(poison, vmulq_n_f32(v, 0.0f));
  }
  const bool finite = !has_nan(poison);
  if (!finite) return row_range_ref(x, k);  // NaN would spread through the extremes
  return {-lanes_max(vnegq_f32(lo)), lanes_max(hi), finite};
}

void row_codes_on_grids_neon(const float* x, const RowCodes& to, Range rows) {
  for (size_t row = rows.begin; row < rows.end; ++row) grid_codes(x + row * to.k, to, row);
}

void adopt_row_codes_neon(const int8_t* codes, size_t pitch, const RowCodes& to, Range rows) {
  const int8x16_t flip = vdupq_n_s8(to.form == RowForm::grid_u8 ? -128 : 0);
  const size_t words = sum_words(to.form);
  for (size_t row = rows.begin; row < rows.end; ++row, codes += pitch)
    for (size_t g = 0; g < to.groups(); ++g) {
      const size_t at = g * to.m + row;
      const int8_t* from = codes + g * kRowGroup;
      const int8x16_t first = vld1q_s8(from), second = vld1q_s8(from + 16);
      vst1q_s8(to.codes + at * kRowGroup, veorq_s8(first, flip));
      vst1q_s8(to.codes + at * kRowGroup + 16, veorq_s8(second, flip));
      if (words != 0) write_sums(to.form, first, second, to.sums + at * words);
    }
}

void quantize_row_codes_neon(const float* x, const RowCodes& to, Range rows) {
  for (size_t row = rows.begin; row < rows.end; ++row) {
    const float* from = x + row * to.k;
    if (is_grid(to.form)) {
      const RowRange r = row_range_neon(from, to.k);
      to.grids[row] = row_grid_from(r.lo, r.hi, r.finite);
      grid_codes(from, to, row);
    } else {
      for (size_t b = 0; b < to.blocks(); ++b) block(from, to, row, b);
    }
  }
}

}  // namespace pith::kernels
