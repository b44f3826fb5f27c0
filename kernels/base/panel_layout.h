// The bytes of packed weight matrices W[N, K]: which planes a panel has, how large they are, where they start.
//
// A matrix is a sequence of panels, a panel a sequence of planes, each plane a multiple of 64 bytes. Panel p holds
// channels 32p..32p+31; the last one may be 8, 16 or 24 channels wide (all rows shrink with it). Kp is K rounded up to 8.
// One thread reads one contiguous range, and every ISA reads the same bytes.
//
//   i8c        W  Kp/4 rows of 4*width    byte r*4*width + 4c + j = w[c][4r + j], s8 in [-127, 127]
//              T  12*width                ksum i32[width] = sum over k of w | scale f32[width] | bias f32[width]
//   i4s8       N  Kp/8 rows of 4*width    byte r*4*width + 4c + j: low nibble u[c][8r + j], high nibble u[c][8r + 4 + j]
//              S  ceil(K/g) rows of width       s8 group scale
//              T  8*width                       channel scale f32[width] | bias f32[width]
//              w = channel scale * group scale * (u - 8); a group scale may be negative
//   i4f16      as i4s8, but S has f16 and T is the bias alone:  w = group scale * (u - 8)
//   i4a        as i4s8, and Z: ceil(K/g) rows of width/2: byte i = z[i] | z[i + width/2] << 4
//              w = channel scale * group scale * (u - z)
//   lut4       as i4f16, but w = group scale * codebook[u], 16 x s8 that stand beside the tensor
//   lut4s8     as i4s8, but w = channel scale * group scale * codebook[u]: scales that are quantized themselves
//   f16_panel  H  K rows of 2*width       w[c][k] as f16, channels side by side
//              T  4*width                 bias f32[width]
//
// Planes are stored in the order N or W or H, S, Z, T. Codes behind K are zero weights, channels behind N are zero too.
// A bias is in real units; operators that bring their own bias leave it zero.
//
// Example: i4s8, N = 40, K = 72, g = 32. Kp = 72, 3 groups (the last has 8 weights), panels of 32 and 8 channels.
//   panel 0: N 9 * 128 = 1152, S 3 * 32 -> 128, T 256: 1536 bytes; panel 1: N 9 * 32 -> 320, S 3 * 8 -> 64, T 64: 448.
//   Channel 33, k = 13 is in panel 1 (c = 1), row 13 / 8 = 1, j = 13 % 4 = 1, high nibble (13 % 8 >= 4):
//   byte 1536 + 1 * 32 + 4 * 1 + 1 = 1573, bits 4-7.
// The same matrix in the other layouts: bytes of the panels, and where channel 33, k = 13 is.
//   lut4s8        as i4s8
//   i8c           2304 + 384 | 576 + 128                  2688 + 3 * 32 + 4 + 1 = 2789, the whole byte
//   i4f16, lut4   1152 + 192 + 128 | 320 + 64 + 64        1472 + 1 * 32 + 4 + 1 = 1509, bits 4-7
//   i4a           1152 + 128 + 64 + 256 | 320 + 3 * 64    1600 + 1 * 32 + 4 + 1 = 1637, bits 4-7; its zero point 1600 + 384 + 1, bits 0-3
//   f16_panel     4608 + 128 | 1152 + 64                  4736 + 13 * 16 + 2 * 1 = 4946, two bytes
#pragma once
#include "kernels/base/types.h"

namespace pith {

inline constexpr uint32_t kPanelWidth = 32;
inline constexpr uint64_t kMaxPanelExtent = uint64_t{1} << 30;  // of N and K: no size below can wrap
inline constexpr uint64_t kMaxCodesK = uint64_t{1} << 16;       // i8c: 255 * 127 * K fits i32

struct PanelMatrix {
  Layout layout = Layout::row_major;
  uint16_t group = 0;
  uint64_t n = 0, k = 0;
};

constexpr uint64_t panel_round(uint64_t x, uint64_t to) { return (x + to - 1) / to * to; }

constexpr bool uses_table(Layout l) { return l == Layout::lut4 || l == Layout::lut4s8; }
constexpr bool has_half_scales(Layout l) { return l == Layout::i4f16 || l == Layout::lut4; }
constexpr bool has_small_scales(Layout l) {  // s8, multiples of a float per channel
  return l == Layout::i4s8 || l == Layout::i4a || l == Layout::lut4s8;
}
constexpr bool has_group_scales(Layout l) { return has_half_scales(l) || has_small_scales(l); }
constexpr bool is_panel_layout(Layout l) {
  return has_group_scales(l) || l == Layout::i8c || l == Layout::f16_panel;
}
// The element type a tensor of this layout has: what its codes are.
constexpr DType dtype_of(Layout l) {
  switch (l) {
    case Layout::i8c:
      return DType::i8;
    case Layout::i4s8:
    case Layout::i4f16:
      return DType::i4;
    case Layout::i4a:
    case Layout::lut4:
    case Layout::lut4s8:
      return DType::u4;
    case Layout::f16_panel:
      return DType::f16;
    case Layout::row_major:
      break;
  }
  return DType::none;
}

// Byte offsets of the planes of a panel that is `width` channels wide, and its size.
struct PanelPlanes {
  uint64_t scales = 0, zeros = 0, tail = 0, bytes = 0;
  uint64_t code_row = 0, scale_row = 0, zero_row = 0;  // bytes of one row; 0: no such plane
  uint64_t code_rows = 0, groups = 0;
};

constexpr PanelPlanes panel_planes(const PanelMatrix& m, uint64_t width) {
  PanelPlanes p;
  const uint64_t kp = panel_round(m.k, 8);
  uint64_t tail_words = 0;  // 4-byte entries per channel
  switch (m.layout) {
    case Layout::i8c:
      p.code_rows = kp / 4, p.code_row = 4 * width, tail_words = 3;
      break;
    case Layout::i4s8:
    case Layout::i4a:
    case Layout::lut4s8:
      p.code_rows = kp / 8, p.code_row = 4 * width, p.scale_row = width, tail_words = 2;
      break;
    case Layout::i4f16:
    case Layout::lut4:
      p.code_rows = kp / 8, p.code_row = 4 * width, p.scale_row = 2 * width, tail_words = 1;
      break;
    case Layout::f16_panel:
      p.code_rows = m.k, p.code_row = 2 * width, tail_words = 1;
      break;
    case Layout::row_major:
      return p;
  }
  if (m.layout == Layout::i4a) p.zero_row = width / 2;
  if (m.group != 0) p.groups = (m.k + m.group - 1) / m.group;
  p.scales = panel_round(p.code_rows * p.code_row, 64);
  p.zeros = p.scales + panel_round(p.groups * p.scale_row, 64);
  p.tail = p.zeros + panel_round(p.groups * p.zero_row, 64);
  p.bytes = p.tail + panel_round(tail_words * 4 * width, 64);
  return p;
}

constexpr uint64_t panel_count(uint64_t n) { return (n + kPanelWidth - 1) / kPanelWidth; }
constexpr uint64_t panel_width(uint64_t n, uint64_t panel) {
  const uint64_t left = n - panel * kPanelWidth;
  return left >= kPanelWidth ? kPanelWidth : panel_round(left, 8);
}

// Why the extents or the group are impossible for the layout, or null.
constexpr const char* panel_fault(const PanelMatrix& m) {
  if (!is_panel_layout(m.layout)) return "the layout is not a packed one";
  if (m.n == 0 || m.k == 0 || m.n > kMaxPanelExtent || m.k > kMaxPanelExtent)
    return "an extent is zero or larger than 2^30";
  if (m.layout == Layout::i8c && m.k > kMaxCodesK) return "more than 65536 weights per output";
  const bool fits =
      has_group_scales(m.layout) ? m.group == 32 || m.group == 64 || m.group == 128 : m.group == 0;
  return fits ? nullptr : "the group must be 32, 64 or 128 for 4-bit layouts and 0 for others";
}

// Size of all panels; only for a matrix without fault.
constexpr uint64_t panel_matrix_bytes(const PanelMatrix& m) {
  const uint64_t full = m.n / kPanelWidth, rest = m.n % kPanelWidth;
  uint64_t bytes = full * panel_planes(m, kPanelWidth).bytes;
  if (rest != 0) bytes += panel_planes(m, panel_round(rest, 8)).bytes;
  return bytes;
}

static_assert(panel_planes({Layout::i4s8, 32, 40, 72}, 32).bytes == 1536);
static_assert(panel_planes({Layout::i4s8, 32, 40, 72}, 8).bytes == 448);
static_assert(panel_matrix_bytes({Layout::i4s8, 32, 40, 72}) == 1536 + 448);
static_assert(panel_matrix_bytes({Layout::i8c, 0, 40, 72}) == 2688 + 704);
static_assert(panel_matrix_bytes({Layout::i4f16, 32, 40, 72}) == 1472 + 448);
static_assert(panel_matrix_bytes({Layout::lut4, 32, 40, 72}) == 1472 + 448);
static_assert(panel_matrix_bytes({Layout::lut4s8, 32, 40, 72}) == 1536 + 448);
static_assert(panel_matrix_bytes({Layout::i4a, 32, 40, 72}) == 1600 + 512);
static_assert(panel_matrix_bytes({Layout::f16_panel, 0, 40, 72}) == 4736 + 1216);
static_assert(panel_matrix_bytes({Layout::i8c, 0, 32, 4096}) == 4096 * 32 + 384);
// Bits per weight at N = K = 4096: 4.25, 4.125, 4.0625 and the tail.
static_assert(panel_matrix_bytes({Layout::i4s8, 32, 4096, 4096}) == 4096 * 4096 / 32 * 17 + 4096 * 8);
static_assert(panel_matrix_bytes({Layout::i4f16, 128, 4096, 4096}) == 4096 * 4096 / 64 * 33 + 4096 * 4);

}  // namespace pith
