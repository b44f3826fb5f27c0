// The depthwise loop for one vector type V of V::kChannels bytes; see depthwise_i8.h for the idea.
// Included by ISA files only; everything has internal linkage.
//
// Order of channels: two rounds of unpacking give vector i, 128-bit lane L the channels 16 L + 4 i + 0..3. Weights,
// start values and scales are brought into that order once per block; packing two times undoes it for the output.
#pragma once
#include "kernels/depthwise/depthwise_i8.h"

#define PITH_EACH_OUTPUT(F) F(0) F(1) F(2) F(3)

namespace pith::kernels {
namespace {

// Input rows of one block of channels on their way through the ring.
template <class V>
class DepthwiseRing {
 public:
  DepthwiseRing(const DepthwiseI8Rows& a, size_t c0) : a_(a), c0_(c0), next_(a.row * a.stride_h) {
    const typename V::Int pad = V::splat(a.pad);
    for (size_t i = 0; i < a.ring_rows * a.row_pixels; ++i) V::store_all(a.ring + i * V::kChannels, pad);
  }
  // Row `row`, counted from the top padding, and all before it are there; ring_rows of them are kept.
  void fetch(size_t row) {
    if (next_ + a_.ring_rows <= row) next_ = row + 1 - a_.ring_rows;
    for (; next_ <= row; ++next_) copy(next_);
  }
  const uint8_t* row(size_t row) const { return slot(row); }

 private:
  uint8_t* slot(size_t row) const { return a_.ring + row % a_.ring_rows * a_.row_pixels * V::kChannels; }
  void copy(size_t row) {
    uint8_t* to = slot(row);
    if (row < a_.pad_top || row - a_.pad_top >= a_.in_h) {
      for (size_t i = 0; i < a_.row_pixels; ++i) V::store_all(to + i * V::kChannels, V::splat(a_.pad));
      return;
    }
    if (a_.pad_left >= a_.row_pixels) return;
    const size_t room = a_.row_pixels - a_.pad_left, count = a_.in_w < room ? a_.in_w : room;
    const uint8_t* from = a_.x + (row - a_.pad_top) * a_.in_w * a_.channels + c0_;
    to += a_.pad_left * V::kChannels;
    const typename V::Int mask = V::splat(a_.mask);
    for (size_t i = 0; i < count; ++i, from += a_.channels, to += V::kChannels) {
      const auto left = static_cast<size_t>(a_.x_end - from);
      V::store_all(to, V::exclusive(left >= V::kChannels ? V::load(from) : V::load_some(from, left), mask));
    }
  }

  const DepthwiseI8Rows& a_;
  const size_t c0_;
  size_t next_;
};

// Four vectors of 4 pixels of each channel.
template <class V>
struct Quad {
  typename V::Operand t0, t1, t2, t3;
  void load(const uint8_t* p0, const uint8_t* p1, const uint8_t* p2, const uint8_t* p3) {
    const auto x0 = V::load(p0), x1 = V::load(p1), x2 = V::load(p2), x3 = V::load(p3);
    const auto l01 = V::low8(x0, x1), h01 = V::high8(x0, x1), l23 = V::low8(x2, x3), h23 = V::high8(x2, x3);
    t0 = V::operand(V::low16(l01, l23)), t1 = V::operand(V::high16(l01, l23));
    t2 = V::operand(V::low16(h01, h23)), t3 = V::operand(V::high16(h01, h23));
  }
};

template <class V>
struct DepthwiseFinish {
  typename V::Int start[4];
  typename V::Float scale[4];
  typename V::Limits limits;
  void load(const DepthwiseI8Rows& a, size_t c0) {
    V::load_lanes(a.start + c0, start);
    V::load_lanes(a.scale + c0, scale);
    limits = V::limits(a.y_zero, a.y_lo, a.y_hi, a.y_flip);
  }
};

// P neighbouring output pixels share D groups of 4 input pixels of each kernel row.
template <class V, int P, int D>
struct DepthwiseAcross {
  using Int = typename V::Int;
  Int weights[kDepthwiseMaxHeight][D][P][4];
  DepthwiseFinish<V> finish;

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
    finish.load(a, c0);
  }

  // P pixels whose input begins `at` bytes into the rows; the first `count` are stored.
  void pixels(const DepthwiseI8Rows& a, const uint8_t* const* rows, size_t at, int8_t* y, int count,
              size_t channels) const {
    const Int(&start)[4] = finish.start;
    const size_t step = a.dilation_w * V::kChannels;
#define DECLARE(p) \
  [[maybe_unused]] Int s##p##0 = start[0], s##p##1 = start[1], s##p##2 = start[2], s##p##3 = start[3];
    PITH_EACH_OUTPUT(DECLARE)
    for (size_t ky = 0; ky < a.kernel_h; ++ky) {
      const uint8_t* x = rows[ky] + at;
#define MULTIPLY(p)                     \
  if constexpr (P > p) {                \
    V::dot(s##p##0, q.t0, w[p % P][0]); \
    V::dot(s##p##1, q.t1, w[p % P][1]); \
    V::dot(s##p##2, q.t2, w[p % P][2]); \
    V::dot(s##p##3, q.t3, w[p % P][3]); \
  }
#define GROUP(d)                                                     \
  if constexpr (D > d) {                                             \
    Quad<V> q;                                                       \
    const uint8_t* begin = x + 4 * d * step;                         \
    q.load(begin, begin + step, begin + 2 * step, begin + 3 * step); \
    const Int(&w)[P][4] = weights[ky][d % D];                        \
    PITH_EACH_OUTPUT(MULTIPLY)                                       \
  }
      GROUP(0) GROUP(1)
    }
#define STORE(p)                   \
  if constexpr (P > p)             \
    if (count > p)                 \
      V::store(y + p * a.channels, \
               V::finish(s##p##0, s##p##1, s##p##2, s##p##3, finish.scale, finish.limits), channels);
    PITH_EACH_OUTPUT(STORE)
#undef DECLARE
#undef MULTIPLY
#undef GROUP
#undef STORE
  }

  static void run(const DepthwiseI8Rows& a, size_t c0, size_t channels) {
    DepthwiseAcross b;
    b.load(a, c0);
    DepthwiseRing<V> ring(a, c0);
    const size_t step = P * a.stride_w * V::kChannels;
    for (size_t i = 0; i < a.rows; ++i) {
      const size_t first = (a.row + i) * a.stride_h;
      const uint8_t* rows[kDepthwiseMaxHeight];
      ring.fetch(first + (a.kernel_h - 1) * a.dilation_h);
      for (size_t ky = 0; ky < a.kernel_h; ++ky) rows[ky] = ring.row(first + ky * a.dilation_h);
      int8_t* y = a.y + i * a.columns * a.channels + c0;
      size_t left = a.columns, at = 0;
      for (; left >= P; left -= P, at += step, y += P * a.channels) b.pixels(a, rows, at, y, P, channels);
      if (P > 1 && left > 0) b.pixels(a, rows, at, y, static_cast<int>(left), channels);
    }
  }
};

// 3x3 without dilation: a group is 4 rows of one column, which serve two output rows at stride 1 (one at stride 2) and
// stay in registers for all outputs that look at the column. Needs 32 registers.
template <class V, int kStride>
struct DepthwiseDown {
  using Int = typename V::Int;
  static constexpr int kRows = kStride == 1 ? 2 : 1;
  Int weights[3][kRows][4];  // of column kx: w[0][kx], w[1][kx], w[2][kx] from byte `row` on
  DepthwiseFinish<V> finish;

  void load(const DepthwiseI8Rows& a, size_t c0) {
    const size_t w_row = 4 * depthwise_channels(a.channels);
    Int taps[3][4];
    for (size_t ky = 0; ky < 3; ++ky) V::load_lanes(a.w + ky * w_row + 4 * c0, taps[ky]);
    const Int low = V::splat_dword(0xff);
    for (unsigned kx = 0; kx < 3; ++kx)
      for (int v = 0; v < 4; ++v) {
        Int column = V::shift_up(V::both(V::shift_down(taps[2][v], 8 * kx), low), 8);
        column = V::shift_up(V::either(column, V::both(V::shift_down(taps[1][v], 8 * kx), low)), 8);
        column = V::either(column, V::both(V::shift_down(taps[0][v], 8 * kx), low));
        for (int r = 0; r < kRows; ++r) weights[kx][r][v] = V::shift_up(column, static_cast<unsigned>(8 * r));
      }
    finish.load(a, c0);
  }

  void output(const Quad<V>& a, const Quad<V>& b, const Quad<V>& c, int row, int8_t* y,
              size_t channels) const {
    Int s0 = finish.start[0], s1 = finish.start[1], s2 = finish.start[2], s3 = finish.start[3];
#define COLUMN(q, kx)                    \
  V::dot(s0, q.t0, weights[kx][row][0]); \
  V::dot(s1, q.t1, weights[kx][row][1]); \
  V::dot(s2, q.t2, weights[kx][row][2]); \
  V::dot(s3, q.t3, weights[kx][row][3]);
    COLUMN(a, 0)
    COLUMN(b, 1)
    COLUMN(c, 2)
#undef COLUMN
    V::store(y, V::finish(s0, s1, s2, s3, finish.scale, finish.limits), channels);
  }
  // `second`: where the second row goes, or null.
  void outputs(const Quad<V>& a, const Quad<V>& b, const Quad<V>& c, int8_t* y, int8_t* second,
               size_t channels) const {
    output(a, b, c, 0, y, channels);
    if constexpr (kRows == 2)
      if (second != nullptr) output(a, b, c, 1, second, channels);
  }

  void line(const DepthwiseI8Rows& a, const uint8_t* const (&r)[4], int8_t* y, int8_t* second,
            size_t channels) const {
    Quad<V> q0, q1, q2;
    size_t at = 0;
    const auto next = [&](Quad<V>& q) {
      q.load(r[0] + at, r[1] + at, r[2] + at, r[3] + at);
      at += V::kChannels;
    };
    const auto step = [&] {
      y += a.channels;
      if (second != nullptr) second += a.channels;
    };
    next(q0);
    if constexpr (kStride == 1) next(q1);
    for (size_t left = a.columns;;) {  // leaves from the middle
      if constexpr (kStride == 1) {
        next(q2), outputs(q0, q1, q2, y, second, channels), step();
        if (--left == 0) return;
        next(q0), outputs(q1, q2, q0, y, second, channels), step();
        if (--left == 0) return;
        next(q1), outputs(q2, q0, q1, y, second, channels), step();
        if (--left == 0) return;
      } else {
        next(q1), next(q2), outputs(q0, q1, q2, y, second, channels), step();
        if (--left == 0) return;
        next(q1), next(q0), outputs(q2, q1, q0, y, second, channels), step();
        if (--left == 0) return;
      }
    }
  }

  static void run(const DepthwiseI8Rows& a, size_t c0, size_t channels) {
    DepthwiseDown b;
    b.load(a, c0);
    DepthwiseRing<V> ring(a, c0);
    for (size_t i = 0; i < a.rows; i += kRows) {
      const size_t first = (a.row + i) * kStride;
      const bool two = kRows == 2 && i + 1 < a.rows;
      ring.fetch(first + (kStride == 1 ? 3 : 2));
      // At stride 2 the fourth row meets only zero weights.
      const uint8_t* const rows[4] = {ring.row(first), ring.row(first + 1), ring.row(first + 2),
                                      ring.row(first + (kStride == 1 ? 3 : 2))};
      int8_t* y = a.y + i * a.columns * a.channels + c0;
      b.line(a, rows, y, two ? y + a.columns * a.channels : nullptr, channels);
    }
  }
};

// The most outputs that D groups hold: (P - 1) stride + kernel_w <= 4 D.
template <class V, int kMost>
void depthwise_block(const DepthwiseI8Rows& a, size_t c0, size_t channels) {
  const size_t groups = depthwise_dwords(a.kernel_w);
  const bool dilated = a.dilation_w != 1;
  if constexpr (V::kManyRegisters)
    if (a.kernel_h == 3 && a.kernel_w == 3 && !dilated && a.dilation_h == 1 && a.stride_h == a.stride_w) {
      if (a.stride_w == 1) return DepthwiseDown<V, 1>::run(a, c0, channels);
      if (a.stride_w == 2) return DepthwiseDown<V, 2>::run(a, c0, channels);
    }
  const size_t outputs = dilated ? 1 : (4 * groups - a.kernel_w) / a.stride_w + 1;
  if (groups == 1 && outputs >= 2) return DepthwiseAcross<V, 2, 1>::run(a, c0, channels);
  if (groups == 1) return DepthwiseAcross<V, 1, 1>::run(a, c0, channels);
  if (outputs >= 4 && kMost >= 4) return DepthwiseAcross<V, kMost, 2>::run(a, c0, channels);
  if (outputs >= 2) return DepthwiseAcross<V, 2, 2>::run(a, c0, channels);
  DepthwiseAcross<V, 1, 2>::run(a, c0, channels);
}

}  // namespace
}  // namespace pith::kernels
