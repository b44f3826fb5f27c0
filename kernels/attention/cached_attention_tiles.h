// Attention over a cache, written once over an ISA's vectors (cached_attention.h says what is computed). Included by ISA files
// only.
//
// Keys and values have the same form: rows of 16 lanes that are multiplied by one number (f16) or one quad of codes (i8) per
// query row and summed over rows of the plane. So there is one inner loop per kind:  sums[r][lane] += a[r][i] * plane[i][lane].
//
// V gives the floats (float_vectors.h) as V::Float, kRows (query rows whose sums fit the registers), kSums (how many vectors of sums
// hide the latency of a product), kUnroll (rows of a plane per turn, 1 or 4) and for i8 the types W and Acc and
//   load(bytes)           4 codes of each of kLanes lanes
//   start(sums)           what Acc begins with: sums[lane] = -128 * sum of codes where query codes are stored + 128
//   zero()
//   dot<kSigned>(acc, w, a)   += products with the quad at a; kSigned: query codes, else codes of probabilities in 0..127
//   finish(acc)           i32 per lane
#pragma once
#include "kernels/attention/cached_attention.h"
#include "kernels/base/float_vectors.h"
#include "kernels/base/vector_math.h"

namespace pith::kernels {
namespace {

constexpr size_t kPrefetchKv = 32768;  // bytes ahead

PITH_INLINE float* state_row(const AttentionState& s, size_t r) { return s.acc + r * s.acc_stride; }
PITH_INLINE const float* floats_in(const uint8_t* p) {
  return static_cast<const float*>(static_cast<const void*>(p));
}

// ---- inner loops -----------------------------------------------------------------------------------------------------

// Sums of R query rows and T planes `apart` bytes apart: T * R * kVecs vectors, of which enough must be independent to hide how
// long one product takes. Sum s belongs to plane s / (R * kVecs), row s / kVecs % R, vector s % kVecs.
template <class V, size_t R, size_t T>
struct SumIndex {
  static constexpr size_t kLanes = V::Float::kLanes, kVecs = 16 / kLanes, kCount = T * R * kVecs;
  static constexpr size_t plane(size_t s) { return s / (R * kVecs); }
  static constexpr size_t row(size_t s) { return s / kVecs % R; }
  static constexpr size_t vec(size_t s) { return s % kVecs; }
  static constexpr size_t weight(size_t s) { return plane(s) * kVecs + vec(s); }
};
// Planes taken together by R rows.
template <class V, size_t R>
constexpr size_t kPlanes = 2 * R*(16 / V::Float::kLanes) <= V::kSums ? 2 : 1;

// i8: `steps` rows of 64 bytes; quads of query row r at a + r * stride. Starts: where the sums begin, or null.
template <class V, bool kSigned, size_t R, size_t T>
struct CodeSums {
  using F = typename V::Float;
  using At = SumIndex<V, R, T>;
  static constexpr size_t kLanes = At::kLanes;
  typename V::Acc acc[At::kCount];

  template <size_t... s, size_t... w>
  PITH_INLINE void run(const uint8_t* plane, size_t apart, size_t steps, const uint8_t* a, size_t stride,
                       [[maybe_unused]] const int32_t* starts, Indices<s...> all, Indices<w...> weights) {
    if constexpr (kSigned)
      ((acc[s] = V::start(starts + At::weight(s) * kLanes)), ...);
    else
      ((acc[s] = V::zero()), ...);
    if constexpr (V::kUnroll == 4) {  // GCC 12 copies every sum twice per turn of the loop
      for (; steps >= 4; steps -= 4, plane += 256, a += 16) {
        step<0>(plane, apart, a, stride, all, weights);
        step<1>(plane, apart, a, stride, all, weights);
        step<2>(plane, apart, a, stride, all, weights);
        step<3>(plane, apart, a, stride, all, weights);
      }
      if constexpr (!kSigned) return;  // values come in whole tiles
    }
    for (; steps > 0; --steps, plane += 64, a += 4) step<0>(plane, apart, a, stride, all, weights);
  }
  template <size_t i, size_t... s, size_t... w>
  PITH_INLINE void step(const uint8_t* plane, size_t apart, const uint8_t* a, size_t stride, Indices<s...>,
                        Indices<w...>) {
    plane += i * 64;
    __builtin_prefetch(plane + kPrefetchKv, 0, 2);
    if constexpr (T > 1) __builtin_prefetch(plane + apart + kPrefetchKv, 0, 2);
    const typename V::W x[] = {V::load(plane + w / At::kVecs * apart + w % At::kVecs * 4 * kLanes)...};
    ((acc[s] = V::template dot<kSigned>(acc[s], x[At::weight(s)], a + i * 4 + At::row(s) * stride)), ...);
  }
  PITH_INLINE typename F::F sum(size_t s) const { return F::cvt(V::finish(acc[s])); }
};

// f16: rows of 32 bytes, a: floats.
template <class V, size_t R, size_t T>
struct HalfSums {
  using F = typename V::Float;
  using At = SumIndex<V, R, T>;
  typename F::F acc[At::kCount];

  template <size_t... s, size_t... w>
  PITH_INLINE void run(const uint8_t* plane, size_t apart, size_t steps, const float* a, size_t stride,
                       Indices<s...> all, Indices<w...> weights) {
    ((acc[s] = F::zero()), ...);
    for (; steps > 0; --steps, plane += 32, ++a) step<0>(plane, apart, a, stride, all, weights);
  }
  template <size_t i, size_t... s, size_t... w>
  PITH_INLINE void step(const uint8_t* plane, size_t apart, const float* a, size_t stride, Indices<s...>,
                        Indices<w...>) {
    __builtin_prefetch(plane + kPrefetchKv, 0, 2);
    if constexpr (T > 1) __builtin_prefetch(plane + apart + kPrefetchKv, 0, 2);
    const typename F::F x[] = {
        F::halves(plane + i * 32 + w / At::kVecs * apart + w % At::kVecs * 2 * At::kLanes)...};
    ((acc[s] = F::add(acc[s], F::mul(F::splat(a[i + At::row(s) * stride]), x[At::weight(s)]))), ...);
  }
};

// ---- a block ---------------------------------------------------------------------------------------------------------

template <class V, KvKind K>
struct BlockPass {
  using F = typename V::Float;
  using Vec = typename F::F;
  static constexpr size_t kLanes = F::kLanes, kVecs = 16 / kLanes;
  static constexpr bool kI8 = K == KvKind::i8;

  const CachedAttention& a;
  const KvPlanes p;
  size_t first_row, count;
  const AttentionState& out;
  const uint8_t* block = nullptr;
  size_t begin[kKvRows], end[kKvRows];   // visible tokens of the block, per row
  size_t first_tile = 0, last_tile = 0;  // tiles that some row sees
  // Per row: f, the old top less the new one, the new top, the largest w, what turns w into codes and back.
  alignas(64) float grow[kKvRows], tops[kKvRows], largest[kKvRows], to_codes[kKvRows], from_codes[kKvRows];
  bool bad[kKvRows];
  alignas(64) float scores[kKvRows][kKvBlock];
  alignas(64) uint8_t codes[kKvRows][kKvBlock];

  BlockPass(const CachedAttention& args, Range rows, const AttentionState& state)
      : a(args), p(kv_planes(args.shape)), first_row(rows.begin), count(rows.end - rows.begin), out(state) {
    for (size_t r = 0; r < kKvRows; ++r) grow[r] = largest[r] = 0;  // vectors run over all rows
  }

  // False: nobody sees anything.
  bool look(size_t b) {
    size_t low = kKvBlock, high = 0;
    for (size_t r = 0; r < count; ++r) {
      const Range seen = visible_tokens(a, first_row + r);
      const size_t first = b * kKvBlock;
      begin[r] = seen.begin > first ? seen.begin - first : 0;
      end[r] = seen.end > first ? seen.end - first : 0;
      end[r] = end[r] < kKvBlock ? end[r] : kKvBlock;
      begin[r] = begin[r] < end[r] ? begin[r] : end[r];
      if (begin[r] == end[r]) continue;
      low = begin[r] < low ? begin[r] : low;
      high = end[r] > high ? end[r] : high;
    }
    first_tile = low / kKvTile, last_tile = (high + kKvTile - 1) / kKvTile;
    block = a.cache + b * p.block;
    return high != 0;
  }

  PITH_INLINE bool sees(size_t r) const { return begin[r] < end[r]; }

  // Not inlined: what surrounds the loop would take its registers.
  template <size_t R, size_t T, size_t... s>
  [[gnu::noinline]] void score_rows(size_t r, size_t tile, Indices<s...> sums) {
    using At = SumIndex<V, R, T>;
    const size_t row = first_row + r, token = tile * kKvTile;
    const uint8_t* plane = block + tile * p.key_tile;
    const uint8_t* q = a.queries + row * a.query_stride;
    const auto store = [&](size_t i, Vec x) __attribute__((always_inline)) {
      F::store(scores[r + At::row(i)] + token + At::weight(i) * kLanes, x);
    };
    if constexpr (kI8) {
      CodeSums<V, true, R, T> dots;
      const auto* starts = static_cast<const int32_t*>(static_cast<const void*>(block + p.key_sums)) + token;
      dots.run(plane, p.key_tile, p.key_steps, q, a.query_stride, starts, sums, IndicesTo<T * kVecs>{});
      const float* scale = floats_in(block + p.key_scales) + token;
      (store(s, F::mul(F::mul(dots.sum(s), F::load(scale + At::weight(s) * kLanes)),
                       F::splat(a.query_scales[row + At::row(s)]))),
       ...);
    } else {
      HalfSums<V, R, T> dots;
      dots.run(plane, p.key_tile, p.key_steps, floats_in(q), a.query_stride / sizeof(float), sums,
               IndicesTo<T * kVecs>{});
      (store(s, F::mul(dots.acc[s], F::splat(a.scale))), ...);
    }
  }

  // Tiles [tile, tile + n), n <= 2, for rows r.. in groups of R; returns the first row left.
  template <size_t R>
  PITH_INLINE size_t score_groups(size_t r, size_t tile, size_t n) {
    for (; r + R <= count; r += R) {
      if (kPlanes<V, R> == 2 && n == 2)
        score_rows<R, kPlanes<V, R>>(r, tile, IndicesTo<kPlanes<V, R> * R * kVecs>{});
      else
        for (size_t i = 0; i < n; ++i) score_rows<R, 1>(r, tile + i, IndicesTo<R * kVecs>{});
    }
    return r;
  }
  void score(size_t tile, size_t n) {
    size_t r = score_groups<V::kRows>(0, tile, n);
    if constexpr (V::kRows > 4) r = score_groups<4>(r, tile, n);
    if constexpr (V::kRows > 2) r = score_groups<2>(r, tile, n);
    if constexpr (V::kRows > 1) score_groups<1>(r, tile, n);
  }

  // Hides what a row does not see; its new top.
  void find_top(size_t r) {
    float* s = scores[r];
    const size_t from = first_tile * kKvTile, to = last_tile * kKvTile;
    for (size_t t = from; t < begin[r]; ++t) s[t] = -__builtin_inff();
    for (size_t t = end[r]; t < to; ++t) s[t] = -__builtin_inff();
    Vec most = F::splat(out.top[r]);
    for (size_t t = from; t < to; t += kLanes) most = F::larger(F::load(s + t), most);
    tops[r] = F::largest(most);
    grow[r] = out.top[r] - tops[r];
    out.top[r] = tops[r];
  }

  // Scores become e = exp(s - top), 0 where hidden; i8: times the scales of the values.
  template <size_t... v>
  PITH_INLINE void exponentials(size_t r, Indices<v...>) {
    float* s = scores[r];
    const float* scales = floats_in(block + p.value_scales);
    const Vec top = F::splat(tops[r]);
    Vec sums[kVecs] = {((void)v, F::zero())...}, most = F::zero(), poison = F::zero();
    const auto one = [&](size_t t, Vec & sum) __attribute__((always_inline)) {
      Vec e = exp_of<F>(F::sub(F::load(s + t), top), kKvLowest);
      sum = F::add(sum, e);
      if constexpr (kI8) {
        e = F::if_positive(e, F::mul(e, F::load(scales + t)));
        most = F::larger(e, most);
        poison = F::add(poison, F::mul(e, F::zero()));
      }
      F::store(s + t, e);
    };
    for (size_t t = first_tile * kKvTile; t < last_tile * kKvTile; t += kKvTile)
      (one(t + v * kLanes, sums[v]), ...);
    alignas(64) float lanes[16];
    (F::store(lanes + v * kLanes, sums[v]), ...);
    out.sum[r] = out.sum[r] * grow[r] + sum_of_16(lanes);
    if constexpr (kI8) {
      bad[r] = F::any_nan(poison);
      largest[r] = F::largest(most);
    }
  }

  // w as codes 0..127; rows that see nothing get zeros, which add nothing whatever the values.
  void quantize(size_t r) {
    if (sees(r) && !bad[r] && largest[r] >= 1e-30f) {
      const Vec inverse = F::splat(to_codes[r]), rounder = F::splat(kRounder);
      for (size_t t = first_tile * kKvTile; t < last_tile * kKvTile; t += kLanes)
        F::store_bytes(codes[r] + t, F::bits(F::add(F::mul(F::load(scores[r] + t), inverse), rounder)));
      return;
    }
    from_codes[r] = sees(r) && bad[r] ? __builtin_nanf("") : 0.0f;
    __builtin_memset(codes[r], 0, kKvBlock);
  }

  // All rows through each step before the next: their chains of operations run side by side.
  void softmax() {
    for (size_t r = 0; r < count; ++r)
      if (sees(r))
        find_top(r);
      else
        grow[r] = 0;  // exp(0) = 1
    for (size_t r = 0; r < count; r += kLanes) F::store(grow + r, exp_of<F>(F::load(grow + r), kKvLowest));
    for (size_t r = 0; r < count; ++r)
      if (sees(r)) exponentials(r, IndicesTo<kVecs>{});
    if constexpr (kI8) {
      const Vec most = F::splat(127);
      for (size_t r = 0; r < count; r += kLanes) {
        F::store(to_codes + r, F::div(most, F::load(largest + r)));
        F::store(from_codes + r, F::div(F::load(largest + r), most));
      }
      for (size_t r = 0; r < count; ++r) quantize(r);
    }
  }

  PITH_INLINE void add_to(size_t r, size_t column, Vec x) {
    float* to = state_row(out, r) + column;
    F::store(to, F::add(F::mul(F::load(to), F::splat(grow[r])), x));
  }
  template <size_t R, size_t T, size_t... s>
  [[gnu::noinline]] void value_rows(size_t r, size_t chunk, Indices<s...> sums) {
    using At = SumIndex<V, R, T>;
    const uint8_t* plane = block + p.values + chunk * p.value_chunk;
    const size_t column = chunk * kKvTile;
    if constexpr (kI8) {
      CodeSums<V, false, R, T> dots;
      dots.run(plane + first_tile * 256, kKvTile * kKvBlock, (last_tile - first_tile) * 4,
               codes[r] + first_tile * kKvTile, kKvBlock, nullptr, sums, IndicesTo<T * kVecs>{});
      (add_to(r + At::row(s), column + At::weight(s) * kLanes,
              F::mul(dots.sum(s), F::splat(from_codes[r + At::row(s)]))),
       ...);
    } else {
      HalfSums<V, R, T> dots;  // the rows of a group see the same tokens
      dots.run(plane + begin[r] * 32, 2 * kKvTile * kKvBlock, end[r] - begin[r], scores[r] + begin[r],
               kKvBlock, sums, IndicesTo<T * kVecs>{});
      (add_to(r + At::row(s), column + At::weight(s) * kLanes, dots.acc[s]), ...);
    }
  }
  // f16: a hidden value may be anything, so rows that see different tokens go apart.
  PITH_INLINE bool together(size_t r, size_t n) const {
    if (kI8) return true;
    for (size_t i = 1; i < n; ++i)
      if (begin[r + i] != begin[r] || end[r + i] != end[r]) return false;
    return true;
  }
  template <size_t R>
  PITH_INLINE size_t value_groups(size_t r, size_t chunk, size_t n) {
    for (; r + R <= count; r += R) {
      if (!together(r, R))
        for (size_t i = 0; i < R * n; ++i) value_rows<1, 1>(r + i % R, chunk + i / R, IndicesTo<kVecs>{});
      else if (kPlanes<V, R> == 2 && n == 2)
        value_rows<R, kPlanes<V, R>>(r, chunk, IndicesTo<kPlanes<V, R> * R * kVecs>{});
      else
        for (size_t i = 0; i < n; ++i) value_rows<R, 1>(r, chunk + i, IndicesTo<R * kVecs>{});
    }
    return r;
  }
  void values(size_t chunk, size_t n) {
    size_t r = value_groups<V::kRows>(0, chunk, n);
    if constexpr (V::kRows > 4) r = value_groups<4>(r, chunk, n);
    if constexpr (V::kRows > 2) r = value_groups<2>(r, chunk, n);
    if constexpr (V::kRows > 1) value_groups<1>(r, chunk, n);
  }

  void run() {
    for (size_t tile = first_tile; tile < last_tile; tile += 2) score(tile, last_tile - tile < 2 ? 1 : 2);
    softmax();
    for (size_t chunk = 0; chunk < p.value_chunks; chunk += 2)
      values(chunk, p.value_chunks - chunk < 2 ? 1 : 2);
  }
};

template <class V, KvKind K>
PITH_INLINE void attend(const CachedAttention& a, Range rows, Range blocks, const AttentionState& out) {
  BlockPass<V, K> pass(a, rows, out);
  for (size_t r = 0; r < pass.count; ++r) {
    out.top[r] = -__builtin_inff(), out.sum[r] = 0;
    for (size_t e = 0; e < out.acc_stride; ++e) state_row(out, r)[e] = 0;
  }
  for (size_t b = blocks.begin; b < blocks.end; ++b)
    if (pass.look(b)) pass.run();
}

}  // namespace
}  // namespace pith::kernels
