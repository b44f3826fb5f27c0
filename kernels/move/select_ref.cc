// Trilu and ReverseSequence.
#include "kernels/move/select.h"

#include <algorithm>
#include <cstring>

#include "kernels/move/words.h"

namespace pith::kernels {
namespace {

template <class T>
void triangle(const TriangleArgs& a, Range rows) {
  T zero;
  std::memcpy(&zero, a.zero, sizeof zero);
  const auto columns = static_cast<size_t>(a.columns);
  for (size_t r = rows.begin; r < rows.end; ++r) {
    const int64_t row = static_cast<int64_t>(r % static_cast<size_t>(a.rows));
    // Columns [0, cut) lie left of the border: dropped by `upper`, kept otherwise.
    const auto cut = static_cast<size_t>(std::clamp<int64_t>(row + a.k + (a.upper ? 0 : 1), 0, a.columns));
    const T* x = static_cast<const T*>(a.x) + r * columns;
    T* y = static_cast<T*>(a.y) + r * columns;
    const size_t keep_from = a.upper ? cut : 0, keep_to = a.upper ? columns : cut;
    std::fill(y, y + keep_from, zero);
    std::copy(x + keep_from, x + keep_to, y + keep_from);
    std::fill(y + keep_to, y + columns, zero);
  }
}

}  // namespace

void triangle_ref(const TriangleArgs& a, Range rows) {
  with_word(a.element_bytes, [&](auto word) { triangle<decltype(word)>(a, rows); });
}

void reverse_sequence_ref(const ReverseSequenceArgs& a, Range rows) {
  const IndexView lengths{a.lengths, a.wide_lengths};
  const auto steps = static_cast<int64_t>(a.dims[a.time_axis]);
  for (size_t r = rows.begin; r < rows.end; ++r) {
    size_t at[2] = {r / a.dims[1], r % a.dims[1]};
    const int64_t length = std::clamp<int64_t>(lengths[at[1 - a.time_axis]], 0, steps);
    const auto step = static_cast<int64_t>(at[a.time_axis]);
    if (step < length) at[a.time_axis] = static_cast<size_t>(length - 1 - step);
    std::memcpy(static_cast<uint8_t*>(a.y) + r * a.inner_bytes,
                static_cast<const uint8_t*>(a.x) + (at[0] * a.dims[1] + at[1]) * a.inner_bytes,
                a.inner_bytes);
  }
}

}  // namespace pith::kernels
