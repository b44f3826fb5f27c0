// Largest and sum of rows of codes on vectors, written once. For ISA files.
//
// V gives kBytes and kWords = kBytes / 2, and
//   load, store, max_signed, max_unsigned        vectors of kBytes codes
//   words(p, flip), add16                        kWords words of (code ^ flip) as i8
//   add_to(sums, words)                          sums[i] += words[i], i32
// Words are summed 128 rows at a time, so they stay within 16 bits. A last piece that is shorter than a vector overlaps the one
// before it; rows shorter than a vector go through a copy of one.
#pragma once
#include "kernels/pool/code_rows.h"

namespace pith::kernels {
namespace {

constexpr size_t kWordRows = 128;

template <class V>
typename V::I most(const CodeRows& x, size_t at) {
  typename V::I best = V::load(x.rows[0] + at);
  if (x.is_signed)
    for (size_t r = 1; r < x.count; ++r) best = V::max_signed(best, V::load(x.rows[r] + at));
  else
    for (size_t r = 1; r < x.count; ++r) best = V::max_unsigned(best, V::load(x.rows[r] + at));
  return best;
}

template <class V>
void max_of_rows(const CodeRows& x, uint8_t* y) {
  if (x.n < V::kBytes) {
    uint8_t best[V::kBytes] = {}, row[V::kBytes] = {};
    __builtin_memcpy(best, x.rows[0], x.n);
    for (size_t r = 1; r < x.count; ++r) {
      __builtin_memcpy(row, x.rows[r], x.n);
      const auto a = V::load(best), b = V::load(row);
      V::store(best, x.is_signed ? V::max_signed(a, b) : V::max_unsigned(a, b));
    }
    __builtin_memcpy(y, best, x.n);
    return;
  }
  for (size_t at = 0; at < x.n; at += V::kBytes) {
    const size_t from = x.n - at < V::kBytes ? x.n - V::kBytes : at;
    V::store(y + from, most<V>(x, from));
  }
}

// sums[i] = sum over rows of word i from `at`; count: how many of them are wanted where the rows are shorter.
template <class V, class Load>
void sum_words(const CodeRows& x, int32_t* sums, Load&& load) {
  for (size_t i = 0; i < V::kWords; ++i) sums[i] = x.is_signed ? 0 : 128 * static_cast<int32_t>(x.count);
  for (size_t r = 0; r < x.count;) {
    const size_t end = x.count - r < kWordRows ? x.count : r + kWordRows;
    auto acc = load(r);
    for (++r; r < end; ++r) acc = V::add16(acc, load(r));
    V::add_to(sums, acc);
  }
}

template <class V>
void sum_of_rows(const CodeRows& x, int32_t* sums) {
  const uint8_t flip = x.is_signed ? 0 : 0x80;
  if (x.n < V::kWords) {
    int32_t part[V::kWords];
    sum_words<V>(x, part, [&](size_t r) {
      uint8_t row[V::kWords] = {};
      __builtin_memcpy(row, x.rows[r], x.n);
      return V::words(row, flip);
    });
    __builtin_memcpy(sums, part, x.n * sizeof(int32_t));
    return;
  }
  for (size_t at = 0; at < x.n; at += V::kWords) {
    const size_t from = x.n - at < V::kWords ? x.n - V::kWords : at;
    sum_words<V>(x, sums + from, [&](size_t r) { return V::words(x.rows[r] + from, flip); });
  }
}

}  // namespace
}  // namespace pith::kernels
