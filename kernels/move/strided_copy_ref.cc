// The loops of a strided copy. Words are loaded and stored with memcpy, so nothing needs to be aligned.
#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/move/strided_copy.h"

namespace pith::kernels {
namespace {

using V16 = uint8_t __attribute__((vector_size(16)));  // one SSE or NEON register

template <class T>
T load(const uint8_t* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
void store(uint8_t* p, T v) {
  std::memcpy(p, &v, sizeof v);
}

struct Tile {
  const uint8_t* x;
  uint8_t* y;
  size_t ni, nj;
};

template <class T>
void copy_fill(const Tile& t) {
  const T value = load<T>(t.x);
  for (size_t j = 0; j < t.nj; ++j) store<T>(t.y + j * sizeof(T), value);
}

template <class T>
void copy_strided(const uint8_t* x, uint8_t* y, size_t n, ptrdiff_t x_step, ptrdiff_t y_step) {
  for (size_t j = 0; j < n; ++j, x += x_step, y += y_step) store<T>(y, load<T>(x));
}

// Where byte `to` of the interleaved register comes from: elements of kSize bytes are taken in turn from the
// lower (or upper) halves of two registers; the second one's bytes count from 16.
template <int kSize, bool kUpper>
constexpr int source_byte(int to) {
  const int element = to / kSize;
  return element % 2 * 16 + (element / 2 + (kUpper ? 8 / kSize : 0)) * kSize + to % kSize;
}
template <int kSize, bool kUpper, int... kByte>
V16 interleave(V16 a, V16 b, std::integer_sequence<int, kByte...>) {
  return __builtin_shufflevector(a, b, source_byte<kSize, kUpper>(kByte)...);
}

// n x n block, n = 16 / kSize: interleaving row r with row r + n/2, log2(n) times, is a transposition.
template <int kSize>
void transpose_block(const uint8_t* x, ptrdiff_t x_row, uint8_t* y, ptrdiff_t y_row) {
  constexpr int n = 16 / kSize;
  constexpr auto bytes = std::make_integer_sequence<int, 16>{};
  V16 rows[n], next[n];
  for (int r = 0; r < n; ++r) rows[r] = load<V16>(x + r * x_row);
  for (int step = 1; step < n; step *= 2) {
    for (int r = 0; r < n / 2; ++r) {
      next[2 * r] = interleave<kSize, false>(rows[r], rows[r + n / 2], bytes);
      next[2 * r + 1] = interleave<kSize, true>(rows[r], rows[r + n / 2], bytes);
    }
    for (int r = 0; r < n; ++r) rows[r] = next[r];
  }
  for (int r = 0; r < n; ++r) store<V16>(y + r * y_row, rows[r]);
}

// y[i][j] = x[j][i]; x is adjacent along i, y along j. Blocks first, then the columns and rows they leave.
template <class T>
void copy_transposed(const StridedCopy& p, const Tile& t) {
  constexpr ptrdiff_t size = sizeof(T), n = 16 / size;
  const auto ni = static_cast<ptrdiff_t>(t.ni), nj = static_cast<ptrdiff_t>(t.nj);
  const ptrdiff_t whole_i = ni / n * n, whole_j = nj / n * n;
  for (ptrdiff_t i = 0; i < whole_i; i += n)
    for (ptrdiff_t j = 0; j < whole_j; j += n)
      transpose_block<sizeof(T)>(t.x + j * p.x_j + i * size, p.x_j, t.y + i * p.y_i + j * size, p.y_i);
  for (ptrdiff_t j = whole_j; j < nj; ++j)
    copy_strided<T>(t.x + j * p.x_j, t.y + j * size, static_cast<size_t>(whole_i), size, p.y_i);
  for (ptrdiff_t i = whole_i; i < ni; ++i)
    copy_strided<T>(t.x + i * size, t.y + i * p.y_i, t.nj, p.x_j, size);
}

template <class T>
void copy_tile(const StridedCopy& p, const Tile& t) {
  switch (p.loop) {
    case CopyLoop::runs:
      std::memcpy(t.y, t.x, t.nj * p.element_bytes);
      return;
    case CopyLoop::fill:
      return copy_fill<T>(t);
    case CopyLoop::strided:
      return copy_strided<T>(t.x, t.y, t.nj, p.x_j, p.y_j);
    case CopyLoop::transposed:
      return copy_transposed<T>(p, t);
  }
}

// Walks items in order, keeping the offsets of the current outer index: no division per item.
class Walker {
 public:
  Walker(const StridedCopy& p, size_t item) : p_(p) {
    tiles_j_ = (p.nj + p.tile_j - 1) / p.tile_j;
    tiles_i_ = (p.ni + p.tile_i - 1) / p.tile_i;
    tj_ = item % tiles_j_;
    item /= tiles_j_;
    ti_ = item % tiles_i_;
    item /= tiles_i_;
    for (int d = p.outer_rank - 1; d >= 0; --d) {
      at_[d] = item % p.outer_dims[d];
      item /= p.outer_dims[d];
      x_ += static_cast<ptrdiff_t>(at_[d]) * p.outer_x[d];
      y_ += static_cast<ptrdiff_t>(at_[d]) * p.outer_y[d];
    }
  }
  Tile tile(const void* x, void* y) const {
    const size_t i = ti_ * p_.tile_i, j = tj_ * p_.tile_j;
    const auto si = static_cast<ptrdiff_t>(i), sj = static_cast<ptrdiff_t>(j);
    return {static_cast<const uint8_t*>(x) + (x_ + si * p_.x_i + sj * p_.x_j),
            static_cast<uint8_t*>(y) + (y_ + si * p_.y_i + sj * p_.y_j), std::min(p_.tile_i, p_.ni - i),
            std::min(p_.tile_j, p_.nj - j)};
  }
  void next() {
    if (++tj_ < tiles_j_) return;
    tj_ = 0;
    if (++ti_ < tiles_i_) return;
    ti_ = 0;
    for (int d = p_.outer_rank - 1; d >= 0; --d) {
      x_ += p_.outer_x[d];
      y_ += p_.outer_y[d];
      if (++at_[d] < p_.outer_dims[d]) return;
      x_ -= static_cast<ptrdiff_t>(at_[d]) * p_.outer_x[d];
      y_ -= static_cast<ptrdiff_t>(at_[d]) * p_.outer_y[d];
      at_[d] = 0;
    }
  }

 private:
  const StridedCopy& p_;
  size_t tiles_i_ = 1, tiles_j_ = 1, ti_ = 0, tj_ = 0;
  size_t at_[kCopyMaxRank] = {};
  ptrdiff_t x_ = 0, y_ = 0;
};

template <class T>
void copy_items(const StridedCopy& p, const void* x, void* y, Range items) {
  Walker walker(p, items.begin);
  for (size_t k = items.begin; k < items.end; ++k, walker.next()) copy_tile<T>(p, walker.tile(x, y));
}

}  // namespace

void strided_copy_ref(const StridedCopy& p, const void* x, void* y, Range items) {
  if (items.begin >= items.end || p.items == 0) return;
  switch (p.element_bytes) {
    case 1:
      return copy_items<uint8_t>(p, x, y, items);
    case 2:
      return copy_items<uint16_t>(p, x, y, items);
    case 4:
      return copy_items<uint32_t>(p, x, y, items);
    case 8:
      return copy_items<uint64_t>(p, x, y, items);
    default:
      return copy_items<V16>(p, x, y, items);
  }
}

}  // namespace pith::kernels
