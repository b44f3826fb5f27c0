// The depthwise loop for one vector type V of V::kChannels bytes; see depthwise_i8.h for the idea.
// P output pixels share D groups of 4 input pixels. Included by ISA files only, inside their own namespaces.
//
// Order of channels: two rounds of unpacking give vector i, 128-bit lane L the channels 16 L + 4 i + 0..3. Weights,
// start values and scales are brought into that order once per block; packing two times undoes it for the output.
#pragma once
#include "kernels/depthwise/depthwise_i8.h"

#define PITH_EACH_OUTPUT(F) F(0) F(1) F(2) F(3)

namespace pith::kernels {
namespace {

template <class V, int P, int D>
struct DepthwiseBlock {
  using Int = typename V::Int;
  Int weights[kDepthwiseMaxHeight][D][P][4];
  Int start[4];
  typename V::Float scale[4];
  typename V::Limits limits;

  void load(const DepthwiseI8Rows& a, size_t c0) {
    const size_t w_row = 4 * depthwise_channels(a.channels);
    for (size_t ky = 0; ky < a.kernel_h; ++ky) {
      Int taps[D][4];
      for (int d = 0; d < D; ++d)
        V::load_lanes(a.w + (ky * D + static_cast<size_t>(d)) * w_row + 4 * c0, taps[d]);
      for (int v = 0; v < 4; ++v)
        for (int p = 0; p < P; ++p) {
          // Taps move up by p * stride bytes through the D dwords of a channel.
          const unsigned shift = static_cast<unsigned>(p) * static_cast<unsigned>(a.stride_w) * 8;
          weights[ky][0][p][v] = V::shift_up(taps[0][v], shift);
          if constexpr (D == 2)
            weights[ky][1][p][v] =
                V::either(V::shift_up(taps[1][v], shift), V::shift_down(taps[0][v], 32 - shift));
        }
    }
    V::load_lanes(a.start + c0, start);
    V::load_lanes(a.scale + c0, scale);
    limits = V::limits(a.y_zero, a.y_lo, a.y_hi, a.y_flip);
  }

  // P pixels from x on; the first `count` are stored.
  void pixels(const DepthwiseI8Rows& a, const uint8_t* x, int8_t* y, int count, size_t channels) const {
#define DECLARE(p) \
  [[maybe_unused]] Int s##p##0 = start[0], s##p##1 = start[1], s##p##2 = start[2], s##p##3 = start[3];
    PITH_EACH_OUTPUT(DECLARE)
    for (size_t ky = 0; ky < a.kernel_h; ++ky, x += a.kernel_row_bytes) {
#define MULTIPLY(p)                   \
  if constexpr (P > p) {              \
    V::dot(s##p##0, t0, w[p % P][0]); \
    V::dot(s##p##1, t1, w[p % P][1]); \
    V::dot(s##p##2, t2, w[p % P][2]); \
    V::dot(s##p##3, t3, w[p % P][3]); \
  }
#define GROUP(d)                                                                                            \
  if constexpr (D > d) {                                                                                    \
    const uint8_t* at = x + 4 * d * a.tap_bytes;                                                            \
    const Int x0 = V::load(at), x1 = V::load(at + a.tap_bytes);                                             \
    const Int x2 = V::load(at + 2 * a.tap_bytes), x3 = V::load(at + 3 * a.tap_bytes);                       \
    const Int l01 = V::low8(x0, x1), h01 = V::high8(x0, x1), l23 = V::low8(x2, x3), h23 = V::high8(x2, x3); \
    const auto t0 = V::operand(V::low16(l01, l23)), t1 = V::operand(V::high16(l01, l23));                   \
    const auto t2 = V::operand(V::low16(h01, h23)), t3 = V::operand(V::high16(h01, h23));                   \
    const Int(&w)[P][4] = weights[ky][d % D];                                                               \
    PITH_EACH_OUTPUT(MULTIPLY)                                                                              \
  }
      GROUP(0) GROUP(1)
    }
#define STORE(p)       \
  if constexpr (P > p) \
    if (count > p)     \
      V::store(y + p * a.channels, V::finish(s##p##0, s##p##1, s##p##2, s##p##3, scale, limits), channels);
    PITH_EACH_OUTPUT(STORE)
#undef DECLARE
#undef MULTIPLY
#undef GROUP
#undef STORE
  }

  static void run(const DepthwiseI8Rows& a, size_t c0, size_t channels) {
    alignas(64) DepthwiseBlock b;
    b.load(a, c0);
    const size_t step = P * a.stride_w * a.pixel_bytes;
    for (size_t row = 0; row < a.rows; ++row) {
      const uint8_t* x = a.x + row * a.row_bytes + c0;
      int8_t* y = a.y + row * a.columns * a.channels + c0;
      size_t left = a.columns;
      for (; left >= P; left -= P, x += step, y += P * a.channels) b.pixels(a, x, y, P, channels);
      if (P > 1 && left > 0) b.pixels(a, x, y, static_cast<int>(left), channels);
    }
  }
};

// The most outputs that D groups hold: (P - 1) stride + kernel_w <= 4 D.
template <class V, int kMost>
void depthwise_block(const DepthwiseI8Rows& a, size_t c0, size_t channels) {
  const size_t groups = depthwise_dwords(a.kernel_w);
  const size_t outputs = a.dilated ? 1 : (4 * groups - a.kernel_w) / a.stride_w + 1;
  if (groups == 1 && outputs >= 2) return DepthwiseBlock<V, 2, 1>::run(a, c0, channels);
  if (groups == 1) return DepthwiseBlock<V, 1, 1>::run(a, c0, channels);
  if (outputs >= 4 && kMost >= 4) return DepthwiseBlock<V, kMost, 2>::run(a, c0, channels);
  if (outputs >= 2) return DepthwiseBlock<V, 2, 2>::run(a, c0, channels);
  DepthwiseBlock<V, 1, 2>::run(a, c0, channels);
}

}  // namespace
}  // namespace pith::kernels
