// Simplifies a pair of strided views and picks the loop that copies them.
#include <algorithm>

#include "kernels/move/strided_copy.h"

namespace pith::kernels {
namespace {

constexpr size_t kTileElements = 4096;    // of one item: two tiles of 4-byte words fill a 32 KiB cache
constexpr size_t kTransposeTile = 64;     // longest side of a tile unless the other one is short
constexpr size_t kRunBytes = 64 << 10;    // a contiguous copy is cut into items of this size
constexpr size_t kGrainBytes = 32 << 10;  // less is not worth a second thread
constexpr size_t kWidestElement = 16;

void erase_dim(StridedViews& v, int d) {
  for (int i = d; i + 1 < v.rank; ++i) {
    v.dims[i] = v.dims[i + 1];
    v.x_stride[i] = v.x_stride[i + 1];
    v.y_stride[i] = v.y_stride[i + 1];
  }
  --v.rank;
}

void merge_dims(StridedViews& v) {
  for (int d = v.rank - 1; d >= 0; --d)
    if (v.dims[d] == 1) erase_dim(v, d);
  for (int d = v.rank - 2; d >= 0; --d) {
    const auto inner = static_cast<ptrdiff_t>(v.dims[d + 1]);
    if (v.x_stride[d] != v.x_stride[d + 1] * inner || v.y_stride[d] != v.y_stride[d + 1] * inner) continue;
    v.dims[d + 1] *= v.dims[d];
    erase_dim(v, d);  // keeps the inner strides
  }
}

// A contiguous innermost run of 2, 4, 8 or 16 bytes becomes one element.
void widen_element(StridedViews& v) {
  if (v.rank < 2) return;  // a lone run is copied at once anyway
  const int last = v.rank - 1;
  const auto size = static_cast<ptrdiff_t>(v.element_bytes);
  if (v.x_stride[last] != size || v.y_stride[last] != size || v.dims[last] > kWidestElement) return;
  const size_t bytes = v.dims[last] * v.element_bytes;
  if (bytes > kWidestElement || (bytes & (bytes - 1)) != 0) return;
  v.element_bytes = bytes;
  --v.rank;
}

size_t tiles(size_t n, size_t tile) { return (n + tile - 1) / tile; }

// Moves dim d of the views into the inner pair.
void take(StridedViews& v, int d, size_t* n, ptrdiff_t* x, ptrdiff_t* y) {
  *n = v.dims[d];
  *x = v.x_stride[d];
  *y = v.y_stride[d];
  erase_dim(v, d);
}

int unit_dim_of_x(const StridedViews& v) {
  for (int d = v.rank - 2; d >= 0; --d)
    if (v.x_stride[d] == static_cast<ptrdiff_t>(v.element_bytes)) return d;
  return -1;
}

void choose_loop(StridedViews& v, StridedCopy& p) {
  const auto size = static_cast<ptrdiff_t>(v.element_bytes);
  p.x_j = p.y_j = size;
  if (v.rank == 0) return;
  const int last = v.rank - 1;
  const ptrdiff_t x = v.x_stride[last], y = v.y_stride[last];
  const int i = unit_dim_of_x(v);
  p.loop = y == size && x == size ? CopyLoop::runs
           : y == size && x == 0  ? CopyLoop::fill
           : y == size && i >= 0  ? CopyLoop::transposed
                                  : CopyLoop::strided;
  take(v, last, &p.nj, &p.x_j, &p.y_j);
  if (p.loop == CopyLoop::transposed) take(v, i, &p.ni, &p.x_i, &p.y_i);
}

}  // namespace

StridedCopy plan_strided_copy(const StridedViews& views) {
  StridedViews v = views;
  StridedCopy p;
  for (int d = 0; d < v.rank; ++d)
    if (v.dims[d] == 0) return p;
  merge_dims(v);
  widen_element(v);
  p.element_bytes = v.element_bytes;
  choose_loop(v, p);
  p.outer_rank = v.rank;
  p.items = 1;
  for (int d = 0; d < v.rank; ++d) {
    p.outer_dims[d] = v.dims[d];
    p.outer_x[d] = v.x_stride[d];
    p.outer_y[d] = v.y_stride[d];
    p.items *= v.dims[d];
  }
  if (p.loop == CopyLoop::transposed) {
    p.tile_i = std::min(p.ni, std::max(kTransposeTile, kTileElements / std::min(p.nj, kTransposeTile)));
    p.tile_j = std::min(p.nj, std::max(kTransposeTile, kTileElements / p.tile_i));
  } else {
    p.tile_j = std::min(p.nj, kRunBytes / p.element_bytes);
  }
  p.items *= tiles(p.ni, p.tile_i) * tiles(p.nj, p.tile_j);
  p.grain = std::max<size_t>(1, kGrainBytes / (p.tile_i * p.tile_j * p.element_bytes));
  return p;
}

const char* name_of(CopyLoop loop) {
  switch (loop) {
    case CopyLoop::runs:
      return "copy_runs";
    case CopyLoop::fill:
      return "copy_fill";
    case CopyLoop::strided:
      return "copy_strided";
    case CopyLoop::transposed:
      return "copy_transposed";
  }
  return "copy";
}

}  // namespace pith::kernels
