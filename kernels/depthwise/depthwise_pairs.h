// 3x3 depthwise convolution with AVX2 alone, strides 1 and 2: two input rows interleaved as 16-bit codes meet pairs of taps in
// vpmaddwd, eight channels at a time. For ISA files.
//
// Rows first + 2 k and first + 2 k + 1 of a block of 16 channels become pair k, once for all who look at them:
//   pixel | c0: a b | c1: a b | .. | c7: a b || c8: a b | .. | c15: a b |    a, b: i16, code + 128, a of the upper row
// Two pairs hold the four rows of two output rows at stride 1, whose taps of a column are
//   upper  (w0, w1) (w2, 0)      lower  (0, w0) (w1, w2)
// and those of one output row at stride 2. Byte products would take as many instructions, one of them a vpsignb that competes
// with the multiplications.
#pragma once
#include <immintrin.h>

#include "kernels/base/unroll.h"
#include "kernels/depthwise/depthwise_i8.h"
#include "kernels/gemm/word_tile.h"

namespace pith::kernels {
namespace {

inline __m256i load_ymm(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

// Pairs of rows of one block on their way; two at a time.
class PairRing {
 public:
  static constexpr size_t kPixel = 64;  // bytes
  static constexpr uint8_t kFlip =
      0x80;  // codes are stored + 128: zeros above them are no work, signs would be
  PairRing(const DepthwiseI8Rows& a, size_t c0) : a_(a), c0_(c0), first_(a.row * a.stride_h) {
    const __m256i pad = _mm256_set1_epi16(a.pad ^ kFlip);
    for (size_t i = 0; i < 2 * a.row_pixels * kPixel; i += 32) store(a.ring + i, pad);
  }
  const uint8_t* pair(size_t k) {
    for (; next_ <= k; ++next_) copy(next_);
    return slot(k);
  }

 private:
  struct Row {
    const uint8_t* at;
    size_t step;
    size_t whole;  // pixels that may be read as 16 bytes
  };
  uint8_t* slot(size_t k) const { return a_.ring + k % 2 * a_.row_pixels * kPixel; }
  static void store(uint8_t* to, __m256i x) {
    _mm256_storeu_si256(static_cast<__m256i*>(static_cast<void*>(to)), x);
  }
  Row row(size_t row, const uint8_t* pad) const {
    if (row < a_.pad_top || row - a_.pad_top >= a_.in_h) return {pad, 0, SIZE_MAX};
    const uint8_t* at = a_.x + (row - a_.pad_top) * a_.in_w * a_.channels + c0_;
    const auto left = static_cast<size_t>(a_.x_end - at);
    return {at, a_.channels, left < 16 ? 0 : (left - 16) / a_.channels + 1};
  }
  void copy(size_t k) const {
    if (a_.pad_left >= a_.row_pixels) return;
    alignas(16) uint8_t pad[16];
    for (uint8_t& b : pad) b = a_.pad ^ a_.mask;  // what becomes the pad when it is read as input
    const Row upper = row(first_ + 2 * k, pad), lower = row(first_ + 2 * k + 1, pad);
    const size_t room = a_.row_pixels - a_.pad_left, count = a_.in_w < room ? a_.in_w : room;
    size_t whole = upper.whole < lower.whole ? upper.whole : lower.whole;
    whole = whole < count ? whole : count;
    uint8_t* to = slot(k) + a_.pad_left * kPixel;
    const __m256i mask = _mm256_set1_epi8(static_cast<char>(a_.mask ^ kFlip));
    const __m256i spread = word_spread();
    const uint8_t *p = upper.at, *q = lower.at;
    size_t i = 0;
    for (; i < whole; ++i, to += kPixel, p += upper.step, q += lower.step)
      interleave(to, sixteen_twice(p), sixteen_twice(q), mask, spread);
    for (; i < count; ++i, to += kPixel, p += upper.step, q += lower.step)
      interleave(to, load_some(p, pad), load_some(q, pad), mask, spread);
  }
  __m256i load_some(const uint8_t* p, const uint8_t* pad) const {
    if (p == pad || a_.x_end - p >= 16) return sixteen_twice(p);
    alignas(16) uint8_t part[16] = {};
    __builtin_memcpy(part, p, static_cast<size_t>(a_.x_end - p));
    return sixteen_twice(part);
  }
  PITH_INLINE static void interleave(uint8_t* to, __m256i upper, __m256i lower, __m256i mask,
                                     __m256i spread) {
    upper = _mm256_xor_si256(upper, mask), lower = _mm256_xor_si256(lower, mask);
    store(to, _mm256_shuffle_epi8(_mm256_unpacklo_epi8(upper, lower), spread));
    store(to + 32, _mm256_shuffle_epi8(_mm256_unpackhi_epi8(upper, lower), spread));
  }

  const DepthwiseI8Rows& a_;
  const size_t c0_, first_;
  size_t next_ = 0;
};

// Eight channels of the block, from channel c on.
template <size_t kStride>
class PairDepthwise {
 public:
  PairDepthwise(const DepthwiseI8Rows& a, size_t c) : a_(a), c_(c) {
    const size_t w_row = 4 * depthwise_channels(a.channels);
    __m256i taps[3];
    for (size_t ky = 0; ky < 3; ++ky) taps[ky] = load_ymm(a.w + ky * w_row + 4 * c);
    for (int kx = 0; kx < 3; ++kx) {
      const __m256i w0 = tap(taps[0], kx), w1 = tap(taps[1], kx), w2 = tap(taps[2], kx);
      const __m256i none = _mm256_setzero_si256();
      upper_[kx] = join(w0, w1), upper_[3 + kx] = join(w2, none);
      lower_[kx] = join(none, w0), lower_[3 + kx] = join(w1, w2);
    }
    __m256i sum = _mm256_setzero_si256();
    for (const __m256i& two : upper_)
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(two, _mm256_set1_epi16(1)));
    start_ = _mm256_sub_epi32(load_ymm(a.start + c), _mm256_slli_epi32(sum, 7));  // 128 sum of w
    scale_ = _mm256_loadu_ps(a.scale + c);
    zero_ = _mm256_set1_epi16(static_cast<int16_t>(a.y_zero));
    lo_ = _mm256_set1_epi8(static_cast<char>(a.y_lo)), hi_ = _mm256_set1_epi8(static_cast<char>(a.y_hi));
    flip_ = _mm256_set1_epi8(static_cast<char>(a.y_flip));
  }

  // One output row (stride 2), or two; `second` may be null.
  void line(const uint8_t* above, const uint8_t* below, int8_t* y, int8_t* second) const {
    const size_t left = a_.channels - c_;
    if constexpr (kStride == 1) {
      second = second == nullptr ? y : second;  // what is not wanted is written first
      left < 8 ? two_lines<false>(above, below, y, second) : two_lines<true>(above, below, y, second);
    } else {
      left < 8 ? one_line<false>(above, below, y) : one_line<true>(above, below, y);
    }
  }

 private:
  static __m256i tap(__m256i taps, int kx) {  // byte kx of every dword
    return _mm256_srai_epi32(_mm256_sll_epi32(taps, _mm_cvtsi32_si128(24 - 8 * kx)), 24);
  }
  static __m256i join(__m256i low, __m256i high) {
    return _mm256_blend_epi16(low, _mm256_slli_epi32(high, 16), 0xaa);
  }
  static __m256i multiply(__m256i sum, __m256i pixels, __m256i taps) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pixels, taps));
  }
  __m256i quantize(__m256i sum) const {
    return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(sum), scale_));
  }
  __m256i words(__m256i a, __m256i b) const {  // | a 0-3 | b 0-3 || a 4-7 | b 4-7 |
    return _mm256_adds_epi16(_mm256_packs_epi32(quantize(a), quantize(b)), zero_);
  }
  // Two pixels of two rows: four columns of the pairs stay in registers, each vector of taps is loaded once. Codes of pixel x
  // are those of the first row, then of the second.
  PITH_INLINE void two_pixels(const uint8_t* above, const uint8_t* below, __m128i* x0, __m128i* x1) const {
    const __m256i p0 = column(above, 0), p1 = column(above, 1), p2 = column(above, 2), p3 = column(above, 3);
    const __m256i q0 = column(below, 0), q1 = column(below, 1), q2 = column(below, 2), q3 = column(below, 3);
    __m256i s0 = start_, s1 = start_, t0 = start_, t1 = start_;
    both(&s0, p0, &s1, p1, upper_[0]), both(&t0, p0, &t1, p1, lower_[0]);
    both(&s0, q0, &s1, q1, upper_[3]), both(&t0, q0, &t1, q1, lower_[3]);
    both(&s0, p1, &s1, p2, upper_[1]), both(&t0, p1, &t1, p2, lower_[1]);
    both(&s0, q1, &s1, q2, upper_[4]), both(&t0, q1, &t1, q2, lower_[4]);
    both(&s0, p2, &s1, p3, upper_[2]), both(&t0, p2, &t1, p3, lower_[2]);
    both(&s0, q2, &s1, q3, upper_[5]), both(&t0, q2, &t1, q3, lower_[5]);
    codes(words(s0, t0), words(s1, t1), x0, x1);
  }
  template <bool kFull>
  void two_lines(const uint8_t* above, const uint8_t* below, int8_t* y, int8_t* second) const {
    const size_t step = a_.channels;
    __m128i x0, x1;
    for (size_t left = a_.columns;; left -= 2) {
      two_pixels(above, below, &x0, &x1);  // the ring holds a pixel more than is looked at
      put_high<kFull>(second, x0), put_low<kFull>(y, x0);
      if (left > 1) put_high<kFull>(second + step, x1), put_low<kFull>(y + step, x1);
      if (left <= 2) return;
      above += 2 * PairRing::kPixel, below += 2 * PairRing::kPixel, y += 2 * step, second += 2 * step;
    }
  }
  // Four pixels of one row at a time, taps in registers; the last ones may be fewer.
  template <bool kFull>
  void one_line(const uint8_t* above, const uint8_t* below, int8_t* y) const {
    const __m256i start = start_, w0 = upper_[0], w1 = upper_[1], w2 = upper_[2], v0 = upper_[3],
                  v1 = upper_[4], v2 = upper_[5];
    const size_t step = a_.channels;
    const auto one = [&](size_t x) __attribute__((always_inline)) {
      const uint8_t *p = above + 2 * x * PairRing::kPixel, *q = below + 2 * x * PairRing::kPixel;
      const __m256i s = multiply(multiply(start, column(p, 0), w0), column(q, 0), v0);
      const __m256i t = multiply(_mm256_madd_epi16(column(p, 1), w1), column(q, 1), v1);
      return _mm256_add_epi32(multiply(multiply(s, column(p, 2), w2), column(q, 2), v2), t);
    };
    __m128i first, other;
    size_t left = a_.columns;
    for (; left >= 4; left -= 4, y += 4 * step) {
      codes(words(one(0), one(1)), words(one(2), one(3)), &first, &other);
      put_low<kFull>(y, first), put_high<kFull>(y + step, first);
      put_low<kFull>(y + 2 * step, other), put_high<kFull>(y + 3 * step, other);
      above += 8 * PairRing::kPixel, below += 8 * PairRing::kPixel;
    }
    for (; left > 0; --left, y += step) {
      const __m256i x = words(one(0), one(0));
      codes(x, x, &first, &other);
      put_low<kFull>(y, first);
      above += 2 * PairRing::kPixel, below += 2 * PairRing::kPixel;
    }
  }
  PITH_INLINE static __m256i column(const uint8_t* pixels, size_t i) {
    return load_ymm(pixels + i * PairRing::kPixel);
  }
  PITH_INLINE static void both(__m256i* a, __m256i x, __m256i* b, __m256i y, __m256i taps) {
    *a = multiply(*a, x, taps), *b = multiply(*b, y, taps);
    asm volatile("" : "+x"(*a), "+x"(*b));  // in this order: 16 registers are just enough
  }
  // Codes of two `words`: eight channels of the first and the second half of each.
  PITH_INLINE void codes(__m256i x, __m256i y, __m128i* of_x, __m128i* of_y) const {
    const __m256i all = _mm256_packs_epi16(x, y);
    const __m256i held = _mm256_xor_si256(_mm256_min_epi8(_mm256_max_epi8(all, lo_), hi_), flip_);
    const __m128i low = _mm256_castsi256_si128(held), high = _mm256_extracti128_si256(held, 1);
    *of_x = _mm_unpacklo_epi32(low, high), *of_y = _mm_unpackhi_epi32(low, high);
  }
  template <bool kFull>
  PITH_INLINE void put_low(int8_t* y, __m128i codes) const {
    if (kFull) return _mm_storel_epi64(static_cast<__m128i*>(static_cast<void*>(y)), codes);
    alignas(16) int8_t part[16];
    _mm_store_si128(static_cast<__m128i*>(static_cast<void*>(part)), codes);
    for (size_t i = 0; i < a_.channels - c_; ++i) y[i] = part[i];
  }
  template <bool kFull>
  PITH_INLINE void put_high(int8_t* y, __m128i codes) const {
    // Not _mm_storeh_pd: that one is a store to a double, which must be aligned.
    if (kFull) return _mm_storeh_pi(static_cast<__m64*>(static_cast<void*>(y)), _mm_castsi128_ps(codes));
    put_low<kFull>(y, _mm_unpackhi_epi64(codes, codes));
  }

  const DepthwiseI8Rows& a_;
  const size_t c_;
  __m256i upper_[6], lower_[6];
  __m256i start_, zero_, lo_, hi_, flip_;
  __m256 scale_;
};

template <size_t kStride>
void pairs_block(const DepthwiseI8Rows& a, size_t c0) {
  constexpr size_t kRows = kStride == 1 ? 2 : 1;
  PairRing ring(a, c0);
  const bool both = a.channels - c0 > 8;
  const PairDepthwise<kStride> first(a, c0), second(a, both ? c0 + 8 : c0);
  for (size_t i = 0; i < a.rows; i += kRows) {
    const size_t k = i / kRows;
    const uint8_t* above = ring.pair(k);
    const uint8_t* below = ring.pair(k + 1);
    int8_t* y = a.y + i * a.columns * a.channels + c0;
    int8_t* under = kRows == 2 && i + 1 < a.rows ? y + a.columns * a.channels : nullptr;
    first.line(above, below, y, under);
    if (both) second.line(above + 32, below + 32, y + 8, under == nullptr ? nullptr : under + 8);
  }
}

inline bool fits_pairs(const DepthwiseI8Rows& a) {
  return a.kernel_h == 3 && a.kernel_w == 3 && a.dilation_h == 1 && a.dilation_w == 1 &&
         a.stride_h == a.stride_w && a.stride_w <= 2;
}
inline void depthwise_pairs(const DepthwiseI8Rows& a) {
  for (size_t c = 0; c < a.channels; c += 16) a.stride_w == 1 ? pairs_block<1>(a, c) : pairs_block<2>(a, c);
}

}  // namespace
}  // namespace pith::kernels
