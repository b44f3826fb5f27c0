// Products with 4-bit packed weights on x86, written once over an ISA's vectors V (see panel_gemm.h for what is computed).
// Included by ISA files only; everything is a template on V, which lives in the file's anonymous namespace, so no code
// built with wide instructions can be shared with other files.
//
// V gives: I (integers), F (floats), kLanes (channels per vector), and
//   load(bytes) store_i load_i store_f load_f splat_f cvt add mul clamp        plain vectors
//   low(x) high(x)       nibbles of every byte
//   broadcast(4 codes)   to all lanes
//   start(sums)          the group's initial value, from the form of the activations
//   dot(i, w, a)         i += four products per channel; w: nibbles 0..15, or what look_up gave
//   finish(i)            i32 per channel
//   scales(s8)           group scales as `apply` wants them;   apply(acc, i, s): acc += i * s
//   zero_scales(s8, z)   s * (8 - z);   apply_zero(acc, sz, sums): acc += sz * sum(a)
//   table(codebook), look_up(nibbles, table), lut_dot(i, w, a), lut_start(sums)   for lut4; finished already
//
// One activation row: loop panel -> group with the accumulators of a whole strip of channels in registers.
// More rows: a group of weights (8 vectors per vector of channels) is unpacked once and rows stream past it, R at a time; the
// i32 and f32 tiles of kRowTile rows stay in L1.
#pragma once
#include <xmmintrin.h>

#include "kernels/base/float16.h"
#include "kernels/gemm/panel_gemm.h"

namespace pith::kernels {
namespace {

#define PITH_INLINE [[gnu::always_inline]] inline

constexpr size_t kRowTile = 64;
constexpr size_t kPrefetchCodes = 4608, kPrefetchScales = 288;  // bytes ahead, measured: kernels.md

// Vectors v of an array, unrolled at parse time so that the arrays become registers.
template <size_t... i>
struct Indices {};
template <size_t n, size_t... i>
struct MakeIndices : MakeIndices<n - 1, n - 1, i...> {};
template <size_t... i>
struct MakeIndices<0, i...> {
  using type = Indices<i...>;
};
template <size_t n>
using IndicesTo = typename MakeIndices<n>::type;

constexpr bool is_integer_scaled(Layout l) { return l == Layout::i4s8 || l == Layout::i4a; }

// What a strip of channels works on: `channels` of one panel from channel `first` on.
template <class V, Layout L>
struct Strip {
  const PanelGemmArgs& a;
  const PanelShape& shape;
  const uint8_t* panel;
  size_t first;
  size_t n0;  // output column of channel `first`

  size_t row_bytes() const { return 4 * shape.width; }
  const uint8_t* codes(size_t row) const { return panel + row * row_bytes() + 4 * first; }
  const uint8_t* scales(size_t g) const {
    constexpr size_t kSize = is_integer_scaled(L) ? 1 : 2;
    return panel + shape.scales + g * shape.scale_row + kSize * first;
  }
  const float* tail(size_t array) const {
    const void* p = panel + shape.tail + 4 * (array * shape.width + first);
    return static_cast<const float*>(p);
  }
  size_t code_rows(size_t group) const {  // of a group of 32 k: 4, fewer in the last
    const size_t left = a.w.code_rows - 4 * group;
    return left < 4 ? left : 4;
  }
  const int8_t* activations(size_t group, size_t row) const {
    return a.x.codes + (group * a.x.m + row) * kRowGroup;
  }
  const int32_t* sums(size_t group, size_t row) const {
    return a.x.sums + (group * a.x.m + row) * sum_words(V::template form<L>());
  }
  float scale(size_t group, size_t row) const { return a.x.scales[group / 4 * a.x.m + row]; }
};

// The zero points of vector v of a strip in weight group g, one byte per channel.
template <class V, Layout L>
PITH_INLINE typename V::Bytes zeros_of(const Strip<V, L>& s, size_t g, size_t v) {
  const size_t half = s.shape.width / 2, c = s.first + v * V::kLanes;
  const uint8_t* row = s.panel + s.shape.zeros + g * s.shape.zero_row;
  if constexpr (V::kLanes == 16) {  // only in panels of 32 channels: a vector is one half
    return V::nibbles(row, c >= half);
  } else {
    if (half % V::kLanes == 0) return V::nibbles(row + c % half, c >= half);
    uint8_t z[V::kLanes];
    for (size_t i = 0; i < V::kLanes; ++i) {
      const size_t at = c + i;
      z[i] = static_cast<uint8_t>(at >= half ? row[at - half] >> 4 : row[at] & 15);
    }
    return V::load_bytes(z);
  }
}

// Weights of a group: what `dot` multiplies.
template <class V, Layout L>
PITH_INLINE typename V::I operand(typename V::I nibbles, const typename V::Table& table) {
  if constexpr (L == Layout::lut4)
    return V::look_up(nibbles, table);
  else
    return nibbles;
}
template <class V, Layout L>
PITH_INLINE typename V::I dot(typename V::I i, typename V::I w, typename V::I a) {
  if constexpr (L == Layout::lut4)
    return V::lut_dot(i, w, a);
  else
    return V::dot(i, w, a);
}
template <class V, Layout L>
PITH_INLINE typename V::I start(const int32_t* sums) {
  if constexpr (L == Layout::lut4)
    return V::lut_start(sums);
  else
    return V::start(sums);
}
template <class V, Layout L>
PITH_INLINE typename V::I finish(typename V::I i) {
  if constexpr (L == Layout::lut4)
    return i;
  else
    return V::finish(i);
}

// Writes one vector of outputs of a row; `left` channels exist.
template <class V>
PITH_INLINE void put(const PanelGemmArgs& a, float* y, typename V::F value, size_t left) {
  value = V::clamp(value, V::splat_f(a.clamp_min), V::splat_f(a.clamp_max));
  if (left >= V::kLanes) {
    V::store_f(y, value);
    return;
  }
  float part[V::kLanes];
  V::store_f(part, value);
  for (size_t i = 0; i < left; ++i) y[i] = part[i];
}

template <class V, Layout L>
PITH_INLINE void put_result(const Strip<V, L>& s, size_t row, size_t v, typename V::F f) {
  const size_t c = v * V::kLanes, column = s.n0 + c;
  if (column >= s.a.w.n) return;
  if constexpr (is_integer_scaled(L))
    f = V::add(V::mul(f, V::load_f(s.tail(0) + c)), V::load_f(s.tail(1) + c));
  else
    f = V::add(f, V::load_f(s.tail(0) + c));
  put<V>(s.a, s.a.y + row * s.a.w.n + column, f, s.a.w.n - column);
}

// ---- one row -------------------------------------------------------------------------------------------------------

template <class V, Layout L, size_t U>
struct OneRow {
  using I = typename V::I;
  using F = typename V::F;
  I i[U], acc[U];
  F f[U];

  template <size_t... v>
  PITH_INLINE void clear_sums(Indices<v...>) {
    ((acc[v] = V::zero()), ...);
  }
  template <size_t... v>
  PITH_INLINE void code_row(const uint8_t* codes, I a0, I a1, const typename V::Table& table, Indices<v...>) {
    (step(i[v], V::load(codes + v * V::kBytes), a0, a1, table), ...);
  }
  PITH_INLINE static void step(I& sum, I x, I a0, I a1, const typename V::Table& table) {
    sum = dot<V, L>(sum, operand<V, L>(V::low(x), table), a0);
    sum = dot<V, L>(sum, operand<V, L>(V::high(x), table), a1);
  }
  template <size_t... v>
  PITH_INLINE void apply_scales(const Strip<V, L>& s, size_t g, const int32_t* sums, Indices<v...> all) {
    if constexpr (is_integer_scaled(L)) {
      ((acc[v] = V::apply(acc[v], i[v], V::scales(s.scales(g) + v * V::kLanes))), ...);
      if constexpr (L == Layout::i4a)
        ((acc[v] =
              V::apply_zero(acc[v], V::zero_scales(s.scales(g) + v * V::kLanes, zeros_of(s, g, v)), sums)),
         ...);
    } else {
      ((acc[v] = V::add_i(acc[v], finish<V, L>(i[v]))), ...);
    }
    (void)all;
  }
  template <size_t... v>
  PITH_INLINE void flush(const Strip<V, L>& s, size_t g, F d, Indices<v...>) {
    if constexpr (is_integer_scaled(L))
      ((f[v] = V::add(f[v], V::mul(d, V::cvt(acc[v])))), ...);
    else
      ((f[v] = V::add(f[v], V::mul(V::cvt(acc[v]), V::mul(V::halves(s.scales(g) + 2 * v * V::kLanes), d)))),
       ...);
    ((acc[v] = V::zero()), ...);
  }
  template <size_t... v>
  PITH_INLINE void run(const Strip<V, L>& s, size_t row, Indices<v...> all) {
    const size_t groups = s.a.x.groups(), span = is_integer_scaled(L) ? 4 : s.a.w.group_blocks;
    const typename V::Table table = V::table(s.a.w.codebook);
    ((f[v] = V::splat_f(0)), ...);
    clear_sums(all);
    size_t until_flush = span, g = 0, until_next = s.a.w.group_blocks;
    for (size_t q = 0; q < groups; ++q) {
      const int32_t* sums = s.sums(q, row);
      const int8_t* a = s.activations(q, row);
      ((i[v] = start<V, L>(sums)), ...);
      _mm_prefetch(reinterpret_cast<const char*>(s.scales(g)) + kPrefetchScales, _MM_HINT_T0);
      const uint8_t* codes = s.codes(4 * q);
      const size_t rows = s.code_rows(q);
      if (rows == 4) {
        group_row(codes, a, table, s.row_bytes(), all);
        group_row(codes + s.row_bytes(), a + 8, table, s.row_bytes(), all);
        group_row(codes + 2 * s.row_bytes(), a + 16, table, s.row_bytes(), all);
        group_row(codes + 3 * s.row_bytes(), a + 24, table, s.row_bytes(), all);
      } else {
        for (size_t r = 0; r < rows; ++r)
          group_row(codes + r * s.row_bytes(), a + 8 * r, table, s.row_bytes(), all);
      }
      apply_scales(s, g, sums, all);
      if (--until_flush == 0 || q + 1 == groups) {
        flush(s, g, V::splat_f(s.scale(q, row)), all);
        until_flush = span;
      }
      if (--until_next == 0) {
        ++g;
        until_next = s.a.w.group_blocks;
      }
    }
    (put_result(s, row, v, f[v]), ...);
  }
  template <size_t... v>
  PITH_INLINE void group_row(const uint8_t* codes, const int8_t* a, const typename V::Table& table,
                             size_t ahead, Indices<v...> all) {
    const char* next = reinterpret_cast<const char*>(codes) + kPrefetchCodes;
    _mm_prefetch(next, _MM_HINT_T0);
    if (ahead > 64) _mm_prefetch(next + 64, _MM_HINT_T0);
    code_row(codes, V::broadcast(a), V::broadcast(a + 4), table, all);
  }
};

// ---- rows in tiles ---------------------------------------------------------------------------------------------------

template <class V, Layout L, size_t R, size_t U>
struct RowTile {
  using I = typename V::I;
  using F = typename V::F;
  static constexpr size_t kWidth = U * V::kLanes;
  alignas(64) int32_t sums[kRowTile * kWidth];
  alignas(64) float f[kRowTile * kWidth];

  struct Group {  // of weights, unpacked
    I w[8 * U];
    typename V::Scales s[U];
    typename V::ZeroScales z[U];
    F h[U];
  };

  template <size_t... j>
  PITH_INLINE static void unpack(const Strip<V, L>& s, size_t q, const typename V::Table& table, Group& to,
                                 Indices<j...>) {
    // j: vector of 8 * U; (j / U) is the quad of k, low nibbles even, high nibbles odd.
    (unpack_one<j>(s, q, table, to.w[j]), ...);
  }
  template <size_t j>
  PITH_INLINE static void unpack_one(const Strip<V, L>& s, size_t q, const typename V::Table& table, I& w) {
    constexpr size_t kQuad = j / U, kRow = kQuad / 2, v = j % U;
    const uint8_t* at = s.codes(4 * q + kRow) + v * V::kBytes;
    const I x = V::load(at);
    if constexpr (kQuad % 2 == 0)
      _mm_prefetch(reinterpret_cast<const char*>(at) + kPrefetchCodes, _MM_HINT_T0);
    w = operand<V, L>(kQuad % 2 == 0 ? V::low(x) : V::high(x), table);
  }
  // A last group with fewer rows: activations behind K are zero, so any weights do.
  PITH_INLINE static void unpack_short(const Strip<V, L>& s, size_t q, const typename V::Table& table,
                                       Group& to) {
    const size_t rows = s.code_rows(q);
    for (size_t r = 0; r < 4; ++r)
      for (size_t v = 0; v < U; ++v) {
        const I x = r < rows ? V::load(s.codes(4 * q + r) + v * V::kBytes) : V::zero();
        to.w[2 * r * U + v] = operand<V, L>(V::low(x), table);
        to.w[(2 * r + 1) * U + v] = operand<V, L>(V::high(x), table);
      }
  }
  template <size_t... v>
  PITH_INLINE static void read_scales(const Strip<V, L>& s, size_t g, Group& to, Indices<v...>) {
    if constexpr (is_integer_scaled(L)) ((to.s[v] = V::scales(s.scales(g) + v * V::kLanes)), ...);
    if constexpr (L == Layout::i4a)
      ((to.z[v] = V::zero_scales(s.scales(g) + v * V::kLanes, zeros_of(s, g, v))), ...);
    if constexpr (!is_integer_scaled(L)) ((to.h[v] = V::halves(s.scales(g) + 2 * v * V::kLanes)), ...);
  }

  // T rows past the weights of a group. kFirst: the i32 tile starts at zero; kLast: it flows into the f32 tile. Index j counts
  // quads of k times the T * U sums, so that neighbouring products do not wait for each other.
  template <bool kFirst, bool kLast, size_t T, size_t... j, size_t... v>
  PITH_INLINE void some_rows(const Group& w, const int8_t* a, const int32_t* row_sums, const float* d,
                             size_t r, Indices<j...>, Indices<v...>) {
    constexpr size_t kSums = T * U, kWords = sum_words(V::template form<L>());
    I i[kSums];
    ((i[v] = start<V, L>(row_sums + v / U * kWords)), ...);
    ((i[j % kSums] = dot<V, L>(i[j % kSums], w.w[j / kSums * U + j % U],
                               V::broadcast(a + j % kSums / U * kRowGroup + j / kSums * 4))),
     ...);
    (end_row<kFirst, kLast>(w, i[v], row_sums + v / U * kWords, d[v / U], r + v / U, v % U), ...);
  }
  template <bool kFirst, bool kLast>
  PITH_INLINE void end_row(const Group& w, I i, const int32_t* row_sums, float d, size_t r, size_t v) {
    int32_t* tile = sums + r * kWidth + v * V::kLanes;
    I acc = kFirst ? V::zero() : V::load_i(tile);
    if constexpr (is_integer_scaled(L)) {
      acc = V::apply(acc, i, w.s[v]);
      if constexpr (L == Layout::i4a) acc = V::apply_zero(acc, w.z[v], row_sums);
    } else {
      acc = V::add_i(acc, finish<V, L>(i));
    }
    if constexpr (kLast) {
      float* out = f + r * kWidth + v * V::kLanes;
      const F scale = V::splat_f(d);
      if constexpr (is_integer_scaled(L))
        V::store_f(out, V::add(V::load_f(out), V::mul(scale, V::cvt(acc))));
      else
        V::store_f(out, V::add(V::load_f(out), V::mul(V::cvt(acc), V::mul(w.h[v], scale))));
    } else {
      V::store_i(tile, acc);
    }
  }
  template <bool kFirst, bool kLast>
  PITH_INLINE void all_rows(const Strip<V, L>& s, const Group& w, size_t q, Range rows) {
    constexpr size_t kWords = sum_words(V::template form<L>());
    const int8_t* a = s.activations(q, rows.begin);
    const int32_t* row_sums = s.sums(q, rows.begin);
    const float* d = s.a.x.scales + q / 4 * s.a.x.m + rows.begin;
    const size_t count = rows.end - rows.begin;
    size_t r = 0;
    for (; r + R <= count; r += R)
      some_rows<kFirst, kLast, R>(w, a + r * kRowGroup, row_sums + r * kWords, d + r, r,
                                  IndicesTo<8 * R * U>{}, IndicesTo<R * U>{});
    if constexpr (R > 1)
      for (; r < count; ++r)
        some_rows<kFirst, kLast, 1>(w, a + r * kRowGroup, row_sums + r * kWords, d + r, r, IndicesTo<8 * U>{},
                                    IndicesTo<U>{});
  }

  PITH_INLINE void group(const Strip<V, L>& s, size_t q, size_t g, bool first, bool last,
                         const typename V::Table& table, Range rows) {
    Group w;
    if (s.code_rows(q) == 4)
      unpack(s, q, table, w, IndicesTo<8 * U>{});
    else
      unpack_short(s, q, table, w);
    read_scales(s, g, w, IndicesTo<U>{});
    if (first && last)
      all_rows<true, true>(s, w, q, rows);
    else if (first)
      all_rows<true, false>(s, w, q, rows);
    else if (last)
      all_rows<false, true>(s, w, q, rows);
    else
      all_rows<false, false>(s, w, q, rows);
  }

  void run(const Strip<V, L>& s, Range rows) {  // at most kRowTile rows
    const size_t groups = s.a.x.groups(), count = rows.end - rows.begin;
    const size_t span = is_integer_scaled(L) ? 4 : s.a.w.group_blocks;
    const typename V::Table table = V::table(s.a.w.codebook);
    for (size_t i = 0; i < count * U; ++i) V::store_f(f + i * V::kLanes, V::splat_f(0));
    for (size_t q = 0; q < groups; ++q)
      group(s, q, q / s.a.w.group_blocks, q % span == 0, (q + 1) % span == 0 || q + 1 == groups, table, rows);
    for (size_t r = 0; r < count; ++r)
      for (size_t v = 0; v < U; ++v)
        put_result(s, rows.begin + r, v, V::load_f(f + r * kWidth + v * V::kLanes));
  }
};

// ---- panels ----------------------------------------------------------------------------------------------------------

// A panel in strips of channels: kOne vectors for a single row; tiles of rows take kRows rows by kMany vectors.
template <class V, Layout L, size_t kOne, size_t kRows, size_t kMany>
void panel4_strips(const PanelGemmArgs& a, const PanelShape& shape, size_t panel, Range rows) {
  const uint8_t* bytes = a.w.bytes + panel * a.w.full.bytes;
  const bool single = rows.end - rows.begin == 1;
  const size_t step = (single ? kOne : kMany) * V::kLanes;
  for (size_t first = 0; first + step <= shape.width; first += step) {
    const Strip<V, L> strip{a, shape, bytes, first, panel * kPanelWidth + first};
    if (single) {
      OneRow<V, L, kOne> one;
      one.run(strip, rows.begin, IndicesTo<kOne>{});
      continue;
    }
    for (size_t r = rows.begin; r < rows.end; r += kRowTile) {
      RowTile<V, L, kRows, kMany> tile;
      tile.run(strip, {r, r + kRowTile < rows.end ? r + kRowTile : rows.end});
    }
  }
}

// Full panels with V, narrower ones by vectors N of 8 channels.
template <class V, class N, Layout L, size_t kOne, size_t kRows, size_t kMany>
void panel4_gemm(const PanelGemmArgs& a, Range panels, Range rows) {
  if (rows.begin == rows.end) return;
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const PanelShape& shape = p + 1 == a.w.panels ? a.w.last : a.w.full;
    if (shape.width == kPanelWidth)
      panel4_strips<V, L, kOne, kRows, kMany>(a, shape, p, rows);
    else
      panel4_strips<N, L, 1, 4, 1>(a, shape, p, rows);
  }
}

}  // namespace
}  // namespace pith::kernels
