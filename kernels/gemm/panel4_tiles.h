// Products with 4-bit packed weights, written once over an ISA's vectors V (see panel_gemm.h for what is computed).
// Included by ISA files only, like panel_strip.h.
//
// V gives kLanes (channels per vector), kBytes (4 kLanes) and the types W (weights), Acc (i32 per channel), F (f32), Sum<L>
// (what a group of 32 k is summed in), Acts (the 32 codes of a row in a group), Bytes, Table, Scales, ZeroScales; and
//   load(bytes), low(w), high(w)        weights; nibbles of every byte
//   zero() load_i store_i add_i         i32
//   load_f store_f splat_f cvt add mul clamp    f32
//   acts(codes)          the codes of a row
//   start<L>(sums)       the group's initial value, from the form of the activations
//   dot<L, j>(i, w, a)   i += products of the four codes of quad j; w: nibbles 0..15, or what look_up gave
//   finish<L>(i)         i32 per channel
//   scales(s8), apply<L>(acc, i, s)           acc += i * s
//   zero_scales(s8, z), apply_zero(acc, sz, sums)   s * (8 - z);  acc += sz * sum(a)
//   halves(f16), bytes(s8)   f32
//   kReloadWeights       if it exists: a group's weights do not fit registers and are loaded anew for every tile of rows;
//                        GCC 12 would load them for every product
//   table(codebook), look_up(nibbles, table)  for layouts with a table
// and where kPairs says that products of 2 rows x 2 channels x 8 k exist: Pair (32 codes of two rows, interleaved by 8),
//   pair(codes, codes), join_low(a, b), join_high(a, b)      weights of quads 2r and 2r + 1 by channel: 0, 1 and 2, 3
//   pair_start<L>(sums, sums), pair_dot<s>(i, w, p)          i: channels x rows; s: which 8 k
//   first_row(low, high), second_row(low, high)              the four channels of a row
//
// One activation row: loop panel -> group with the accumulators of a whole strip of channels in registers.
// More rows: a group of weights (8 vectors per vector of channels) is unpacked once and rows stream past it, R at a time; the
// i32 and f32 tiles of about kRowTile rows stay in L1.
#pragma once
#include "kernels/gemm/panel_strip.h"

namespace pith::kernels {
namespace {

constexpr size_t kRowTile = 64;
constexpr size_t kPrefetchCodes = 4608, kPrefetchScales = 288;  // bytes ahead, measured: docs/kernels.md

// What V asks for, or the distance above.
template <class V>
constexpr size_t codes_ahead() {
  if constexpr (requires { V::kCodesAhead; })
    return V::kCodesAhead;
  else
    return kPrefetchCodes;
}

// Weights of a group: what `dot` multiplies.
template <class V, Layout L>
PITH_INLINE typename V::W operand(typename V::W nibbles, const typename V::Table& table) {
  if constexpr (uses_table(L))
    return V::look_up(nibbles, table);
  else
    return nibbles;
}

// Scales of vector v in weight group g, where they are floats.
template <class V, Layout L>
PITH_INLINE typename V::F float_scales(const Strip<V, L>& s, size_t g, size_t v) {
  if constexpr (has_half_scales(L))
    return V::halves(s.scales(g) + 2 * v * V::kLanes);
  else
    return V::bytes(s.scales(g) + v * V::kLanes);
}

template <class V, Layout L>
PITH_INLINE void put_result(const Strip<V, L>& s, size_t row, size_t v, typename V::F f) {
  const size_t c = v * V::kLanes, column = s.n0 + c;
  if (column >= s.a.w.n) return;
  if constexpr (has_small_scales(L))
    f = V::add(V::mul(f, V::load_f(s.tail(0) + c)), V::load_f(s.tail(1) + c));
  else
    f = V::add(f, V::load_f(s.tail(0) + c));
  put<V>(s.a, s.a.y + row * s.a.w.n + column, f, s.a.w.n - column);
}

// ---- one row -------------------------------------------------------------------------------------------------------

template <class V, Layout L, size_t U>
struct OneRow {
  using Acts = typename V::Acts;
  using Table = typename V::Table;
  typename V::template Sum<L> i[U];
  typename V::Acc acc[U];
  typename V::F f[U];

  // Row r of the group's four: quads 2r and 2r + 1.
  template <size_t r, size_t... v>
  PITH_INLINE void code_row(const Strip<V, L>& s, size_t q, const Acts& a, const Table& table,
                            Indices<v...>) {
    const uint8_t* codes = s.codes(4 * q + r);
    prefetch(codes + codes_ahead<V>());
    if constexpr (U * V::kBytes > 64) prefetch(codes + codes_ahead<V>() + 64);
    (step<r>(i[v], V::load(codes + v * V::kBytes), a, table), ...);
  }
  template <size_t r>
  PITH_INLINE static void step(typename V::template Sum<L>& sum, typename V::W x, const Acts& a,
                               const Table& table) {
    sum = V::template dot<L, 2 * r>(sum, operand<V, L>(V::low(x), table), a);
    sum = V::template dot<L, 2 * r + 1>(sum, operand<V, L>(V::high(x), table), a);
  }
  template <size_t... v>
  PITH_INLINE void code_rows(const Strip<V, L>& s, size_t q, const Acts& a, const Table& table,
                             Indices<v...> all) {
    const size_t rows = s.code_rows(q);
    code_row<0>(s, q, a, table, all);
    if (rows == 4) {
      code_row<1>(s, q, a, table, all);
      code_row<2>(s, q, a, table, all);
      code_row<3>(s, q, a, table, all);
      return;
    }
    if (rows > 1) code_row<1>(s, q, a, table, all);
    if (rows > 2) code_row<2>(s, q, a, table, all);
  }
  template <size_t... v>
  PITH_INLINE void apply_scales(const Strip<V, L>& s, [[maybe_unused]] size_t g, const int32_t* sums,
                                Indices<v...>) {
    if constexpr (is_integer_scaled(L)) {
      ((acc[v] = V::template apply<L>(acc[v], i[v], V::scales(s.scales(g) + v * V::kLanes))), ...);
      if constexpr (L == Layout::i4a)
        ((acc[v] =
              V::apply_zero(acc[v], V::zero_scales(s.scales(g) + v * V::kLanes, zeros_of(s, g, v)), sums)),
         ...);
    } else {
      ((acc[v] = V::add_i(acc[v], V::template finish<L>(i[v]))), ...);
    }
    (void)sums;
  }
  template <size_t... v>
  PITH_INLINE void flush(const Strip<V, L>& s, [[maybe_unused]] size_t g, typename V::F d, Indices<v...>) {
    if constexpr (is_integer_scaled(L))
      ((f[v] = V::add(f[v], V::mul(d, V::cvt(acc[v])))), ...);
    else
      ((f[v] = V::add(f[v], V::mul(V::cvt(acc[v]), V::mul(float_scales<V, L>(s, g, v), d)))), ...);
    ((acc[v] = V::zero()), ...);
    (void)s;
  }
  template <size_t... v>
  PITH_INLINE void run(const Strip<V, L>& s, size_t row, Indices<v...> all) {
    const size_t groups = s.a.x.groups(), span = is_integer_scaled(L) ? 4 : s.a.w.group_blocks;
    const Table table = V::table(s.a.w.codebook);
    ((f[v] = V::splat_f(0)), ...);
    ((acc[v] = V::zero()), ...);
    size_t until_flush = span, g = 0, until_next = s.a.w.group_blocks;
    for (size_t q = 0; q < groups; ++q) {
      const int32_t* sums = s.sums(q, row);
      ((i[v] = V::template start<L>(sums)), ...);
      prefetch(s.scales(g) + kPrefetchScales);
      code_rows(s, q, V::acts(s.activations(q, row)), table, all);
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
};

// ---- rows in tiles ---------------------------------------------------------------------------------------------------

template <class V, Layout L, size_t R, size_t U>
struct RowTile {
  using F = typename V::F;
  static constexpr size_t kWidth = U * V::kLanes;
  static constexpr size_t kMost = (kRowTile + R - 1) / R * R;  // rows at once
  alignas(64) int32_t sums[kMost * kWidth];
  alignas(64) float f[kMost * kWidth];

  struct Group {  // of weights, unpacked
    typename V::W w[8 * U];
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
  PITH_INLINE static void unpack_one(const Strip<V, L>& s, size_t q, const typename V::Table& table,
                                     typename V::W& w) {
    constexpr size_t kQuad = j / U, kRow = kQuad / 2, v = j % U;
    const uint8_t* at = s.codes(4 * q + kRow) + v * V::kBytes;
    const typename V::W x = V::load(at);
    if constexpr (kQuad % 2 == 0) prefetch(at + codes_ahead<V>());
    w = operand<V, L>(kQuad % 2 == 0 ? V::low(x) : V::high(x), table);
  }
  template <size_t... j>
  PITH_INLINE static void join(Group& g, Indices<j...>) {
    (join_one(g.w[j / U * 2 * U + j % U], g.w[(j / U * 2 + 1) * U + j % U]), ...);
  }
  PITH_INLINE static void join_one(typename V::W& even, typename V::W& odd) {
    const typename V::W low = V::join_low(even, odd);
    odd = V::join_high(even, odd);
    even = low;
  }
  // A last group with fewer rows: activations behind K are zero, so any weights do.
  PITH_INLINE static void unpack_short(const Strip<V, L>& s, size_t q, const typename V::Table& table,
                                       Group& to) {
    const size_t rows = s.code_rows(q);
    for (size_t r = 0; r < 4; ++r)
      for (size_t v = 0; v < U; ++v) {
        const typename V::W x =
            r < rows ? V::load(s.codes(4 * q + r) + v * V::kBytes) : V::load(s.codes(4 * q) + v * V::kBytes);
        to.w[2 * r * U + v] = operand<V, L>(V::low(x), table);
        to.w[(2 * r + 1) * U + v] = operand<V, L>(V::high(x), table);
      }
  }
  template <size_t... v>
  PITH_INLINE static void read_scales(const Strip<V, L>& s, size_t g, Group& to, Indices<v...>) {
    if constexpr (is_integer_scaled(L)) ((to.s[v] = V::scales(s.scales(g) + v * V::kLanes)), ...);
    if constexpr (L == Layout::i4a)
      ((to.z[v] = V::zero_scales(s.scales(g) + v * V::kLanes, zeros_of(s, g, v))), ...);
    if constexpr (!is_integer_scaled(L)) ((to.h[v] = float_scales<V, L>(s, g, v)), ...);
  }

  // T rows past the weights of a group. kFirst: the i32 tile starts at zero; kLast: it flows into the f32 tile. Index j counts
  // quads of k times the T * U sums, so that neighbouring products do not wait for each other.
  template <bool kFirst, bool kLast, size_t T, size_t... j, size_t... v>
  PITH_INLINE void some_rows(const Group& w, const int8_t* a, const int32_t* row_sums, const float* d,
                             size_t r, Indices<j...>, Indices<v...>) {
    constexpr size_t kSums = T * U, kWords = sum_words(V::template form<L>());
    typename V::template Sum<L> i[kSums];
    typename V::Acts acts[T];
    if constexpr (requires { V::kReloadWeights; }) asm volatile("" ::"r"(&w) : "memory");
    ((acts[v / U] = V::acts(a + v / U * kRowGroup)), ...);
    ((i[v] = V::template start<L>(row_sums + v / U * kWords)), ...);
    ((i[j % kSums] =
          V::template dot<L, j / kSums>(i[j % kSums], w.w[j / kSums * U + j % U], acts[j % kSums / U])),
     ...);
    (end_row<kFirst, kLast>(w, i[v], row_sums + v / U * kWords, d[v / U], r + v / U, v % U), ...);
  }
  // T / 2 pairs of rows; `lone`: the second row of the only pair does not exist, the first stands in for it.
  template <bool kFirst, bool kLast, size_t T, size_t... j, size_t... v>
  PITH_INLINE void pair_rows(const Group& w, const int8_t* a, const int32_t* row_sums, const float* d,
                             size_t r, bool lone, Indices<j...>, Indices<v...>) {
    constexpr size_t kSums = T * U, kWords = sum_words(V::template form<L>());
    typename V::Acc i[kSums];
    typename V::Pair pairs[T / 2];
    const size_t second = lone ? 0 : 1;
    ((pairs[v / (2 * U)] =
          V::pair(a + v / (2 * U) * 2 * kRowGroup, a + (v / (2 * U) * 2 + second) * kRowGroup)),
     ...);
    ((i[v] = V::template pair_start<L>(row_sums + v / (2 * U) * 2 * kWords,
                                       row_sums + (v / (2 * U) * 2 + second) * kWords)),
     ...);
    ((i[j % kSums] = V::template pair_dot<j / kSums>(
          i[j % kSums], w.w[(j / kSums * 2 + j % kSums / U % 2) * U + j % U], pairs[j % kSums / (2 * U)])),
     ...);
    (end_pair<kFirst, kLast, v>(w, i, row_sums, d, r, lone), ...);
  }
  // Sum v of pair_rows is one of two halves; the first of both ends two rows.
  template <bool kFirst, bool kLast, size_t v>
  PITH_INLINE void end_pair(const Group& w, const typename V::Acc* i, const int32_t* row_sums, const float* d,
                            size_t r, bool lone) {
    constexpr size_t kWords = sum_words(V::template form<L>()), kRow = v / (2 * U) * 2;
    if constexpr (v / U % 2 == 0) {
      end_row<kFirst, kLast>(w, V::first_row(i[v], i[v + U]), row_sums + kRow * kWords, d[kRow], r + kRow,
                             v % U);
      if (!lone)
        end_row<kFirst, kLast>(w, V::second_row(i[v], i[v + U]), row_sums + (kRow + 1) * kWords, d[kRow + 1],
                               r + kRow + 1, v % U);
    }
  }
  template <bool kFirst, bool kLast>
  PITH_INLINE void end_row(const Group& w, typename V::template Sum<L> i, const int32_t* row_sums, float d,
                           size_t r, size_t v) {
    int32_t* tile = sums + r * kWidth + v * V::kLanes;
    typename V::Acc acc = kFirst ? V::zero() : V::load_i(tile);
    if constexpr (is_integer_scaled(L)) {
      acc = V::template apply<L>(acc, i, w.s[v]);
      if constexpr (L == Layout::i4a) acc = V::apply_zero(acc, w.z[v], row_sums);
    } else {
      acc = V::add_i(acc, V::template finish<L>(i));
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
    if constexpr (V::kPairs) {
      for (; r + R <= count; r += R)
        pair_rows<kFirst, kLast, R>(w, a + r * kRowGroup, row_sums + r * kWords, d + r, r, false,
                                    IndicesTo<4 * R * U>{}, IndicesTo<R * U>{});
      for (; r < count; r += 2)
        pair_rows<kFirst, kLast, 2>(w, a + r * kRowGroup, row_sums + r * kWords, d + r, r, r + 1 == count,
                                    IndicesTo<8 * U>{}, IndicesTo<2 * U>{});
      return;
    }
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
    if constexpr (V::kPairs) join(w, IndicesTo<4 * U>{});
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

  void run(const Strip<V, L>& s, Range rows) {  // at most kMost rows
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

template <class V, Layout L, class Shape>
void panel4_strips(const PanelGemmArgs& a, const PanelShape& shape, size_t panel, Range rows) {
  const uint8_t* bytes = a.w.bytes + panel * a.w.full.bytes;
  const bool single = rows.end - rows.begin == 1;
  const size_t step = (single ? Shape::kOne : Shape::kMany) * V::kLanes;
  for (size_t first = 0; first + step <= shape.width; first += step) {
    const Strip<V, L> strip{a, shape, bytes, first, panel * kPanelWidth + first};
    if (single) {
      OneRow<V, L, Shape::kOne> one;
      one.run(strip, rows.begin, IndicesTo<Shape::kOne>{});
      continue;
    }
    using Tile = RowTile<V, L, Shape::kRows, Shape::kMany>;
    for (size_t r = rows.begin; r < rows.end; r += Tile::kMost) {
      Tile tile;
      tile.run(strip, {r, r + Tile::kMost < rows.end ? r + Tile::kMost : rows.end});
    }
  }
}

// Full panels with V in tiles VShape; narrower ones with N in tiles NShape, which divide 8 channels.
template <Layout L, class V, class VShape, class N, class NShape>
void panel4_gemm(const PanelGemmArgs& a, Range panels, Range rows) {
  if (rows.begin == rows.end) return;
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const PanelShape& shape = p + 1 == a.w.panels ? a.w.last : a.w.full;
    if (shape.width == kPanelWidth)
      panel4_strips<V, L, VShape>(a, shape, p, rows);
    else
      panel4_strips<N, L, NShape>(a, shape, p, rows);
  }
}

}  // namespace
}  // namespace pith::kernels
