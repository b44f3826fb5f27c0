// Rows of a padded tensor: the part that lies in x is one memcpy, its borders follow the rule.
#include <algorithm>
#include <cstring>

#include "kernels/move/pad.h"
#include "kernels/move/words.h"

namespace pith::kernels {
namespace {

int64_t floor_mod(int64_t i, int64_t n) { return (i % n + n) % n; }

template <class T>
struct Row {
  const PadArgs& a;
  T value;

  void fill(T* y, size_t n) const { std::fill_n(y, n, value); }

  // One block of `inner` elements at index i of the last dim.
  void block(const uint8_t* x, T* y, int64_t i) const {
    const int64_t from = pad_source(a, a.rank - 1, i);
    if (from < 0)
      fill(y, a.inner);
    else if (a.inner == 1)
      std::memcpy(y, x + from * a.x_stride[a.rank - 1], sizeof(T));
    else
      std::memcpy(y, x + from * a.x_stride[a.rank - 1], a.inner * sizeof(T));
  }

  void copy(const uint8_t* x, T* y) const {
    const int last = a.rank - 1;
    const int64_t n = a.y_dims[last];
    const int64_t begin = std::min(a.before[last], n), end = std::min(begin + a.m[last], n);
    for (int64_t i = 0; i < begin; ++i) block(x, y + static_cast<size_t>(i) * a.inner, i);
    if (end > begin)
      std::memcpy(y + static_cast<size_t>(begin) * a.inner, x + a.first[last] * a.x_stride[last],
                  static_cast<size_t>(end - begin) * a.inner * sizeof(T));
    for (int64_t i = std::max(end, begin); i < n; ++i) block(x, y + static_cast<size_t>(i) * a.inner, i);
  }
};

template <class T>
void pad_rows(const PadArgs& a, Range rows) {
  T value{};
  if (a.value != nullptr) std::memcpy(&value, a.value, sizeof value);
  const Row<T> row{a, value};
  const size_t row_elements = static_cast<size_t>(a.y_dims[a.rank - 1]) * a.inner;
  T* y = static_cast<T*>(a.y) + rows.begin * row_elements;
  for (size_t r = rows.begin; r < rows.end; ++r, y += row_elements) {
    int64_t offset = 0;
    bool outside = false;
    size_t rest = r;
    for (int d = a.rank - 2; d >= 0; --d) {
      const auto n = static_cast<size_t>(a.y_dims[d]);
      const int64_t from = pad_source(a, d, static_cast<int64_t>(rest % n));
      rest /= n;
      outside |= from < 0;
      offset += from * a.x_stride[d];
    }
    if (outside)
      row.fill(y, row_elements);
    else
      row.copy(static_cast<const uint8_t*>(a.x) + offset, y);
  }
}

}  // namespace

int64_t pad_source(const PadArgs& a, int d, int64_t i) {
  const int64_t m = a.m[d], j = i - a.before[d];
  if (j >= 0 && j < m) return a.first[d] + j;
  switch (a.rule) {
    case PadRule::constant:
      return -1;
    case PadRule::edge:
      return a.first[d] + (j < 0 ? 0 : m - 1);
    case PadRule::wrap:
      return a.first[d] + floor_mod(j, m);
    case PadRule::reflect: {
      if (m == 1) return a.first[d];
      const int64_t period = 2 * (m - 1), k = floor_mod(j, period);
      return a.first[d] + (k < m ? k : period - k);
    }
  }
  return -1;
}

void pad_ref(const PadArgs& a, Range rows) {
  with_word(a.element_bytes, [&](auto word) { pad_rows<decltype(word)>(a, rows); });
}

}  // namespace pith::kernels
