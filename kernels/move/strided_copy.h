// Copies between two strided views of the same dims: y[i_0 .. i_{r-1}] = x[i_0 .. i_{r-1}], each view with
// its own strides. Transpose, slice (also backwards), concatenation, split, repetition (stride 0) and filling
// are all this.
//
// The plan drops dims of one, merges dims that are adjacent in both views, takes short contiguous runs as one
// wide element, and picks the loop. Elements are opaque words of 1, 2, 4, 8 or 16 bytes without alignment
// demands.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/types.h"

namespace pith::kernels {

inline constexpr int kCopyMaxRank = 16;

// What to copy. Strides in bytes, any sign; a stride of 0 in x repeats. The elements of y must be distinct
// and must not overlap x. Both views must stay inside their buffers: the caller has checked.
struct StridedViews {
  size_t element_bytes = 1;  // 1, 2, 4 or 8
  int rank = 0;              // 0..kCopyMaxRank
  size_t dims[kCopyMaxRank] = {};
  ptrdiff_t x_stride[kCopyMaxRank] = {};
  ptrdiff_t y_stride[kCopyMaxRank] = {};
};

enum class CopyLoop : uint8_t {
  runs,        // inner elements are adjacent in both views: memcpy
  fill,        // one element of x fills a run of y
  strided,     // element by element
  transposed,  // adjacent in x along one dim and in y along another: small square blocks
};

struct StridedCopy {
  CopyLoop loop = CopyLoop::runs;
  size_t element_bytes = 1;
  int outer_rank = 0;  // dims walked around the inner pair (i, j)
  size_t outer_dims[kCopyMaxRank] = {};
  ptrdiff_t outer_x[kCopyMaxRank] = {}, outer_y[kCopyMaxRank] = {};
  size_t ni = 1, nj = 1;  // ni is 1 except for CopyLoop::transposed
  ptrdiff_t x_i = 0, x_j = 0, y_i = 0, y_j = 0;
  size_t tile_i = 1, tile_j = 1;
  size_t items = 0;  // tiles of all inner pairs: independent pieces of work; 0 when there is nothing to copy
  size_t grain = 1;  // items worth handing to a thread
};

StridedCopy plan_strided_copy(const StridedViews& views);
const char* name_of(CopyLoop loop);  // "copy_runs", ...

// x, y: the first element of each view.
void strided_copy_ref(const StridedCopy& plan, const void* x, void* y, Range items);

}  // namespace pith::kernels
