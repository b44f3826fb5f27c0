// Picking elements by index. Indices are data: negative ones count from the end, and what is still outside is
// moved to the nearest valid element, so that nothing outside x is ever read. x and y must not overlap.
#pragma once
#include "kernels/base/types.h"
#include "kernels/move/words.h"

namespace pith::kernels {

inline constexpr int kGatherMaxRank = 8;

// -n..n-1 -> 0..n-1; anything else to the nearest end. n >= 1.
inline int64_t clamp_index(int64_t i, int64_t n) {
  if (i < 0) i += n;
  return i < 0 ? 0 : i >= n ? n - 1 : i;
}

// y[outer, k, inner] = x[outer, indices[k], inner].
struct GatherArgs {
  const void* x;
  void* y;
  IndexView indices;
  size_t count;        // indices
  int64_t n;           // length of the axis
  size_t inner_bytes;  // of one picked block
};
// Rows: (outer, k) flattened.
void gather_ref(const GatherArgs& a, Range rows);

// y[batch, t, inner] = x[batch, indices[batch, t, 0], .., indices[batch, t, depth - 1], inner].
struct GatherNdArgs {
  const void* x;
  void* y;
  IndexView indices;
  size_t tuples;  // per batch
  int depth;
  int64_t dims[kGatherMaxRank], stride_bytes[kGatherMaxRank];  // of the indexed dims
  size_t batch_bytes;                                          // of x
  size_t inner_bytes;
};
// Rows: (batch, t) flattened.
void gather_nd_ref(const GatherNdArgs& a, Range rows);

// y[i_0 .. i_{r-1}] = x[i_0 .., indices[i_0 .. i_{r-1}] at the axis, ..].
struct GatherElementsArgs {
  const void* x;
  void* y;
  IndexView indices;
  size_t element_bytes;
  int rank;  // 1..8
  int axis;
  int64_t n;                        // length of the axis in x
  size_t y_dims[kGatherMaxRank];    // dims of y and indices; outside the axis at most those of x
  size_t x_stride[kGatherMaxRank];  // in elements
};
// Rows: index over all dims of y but the last.
void gather_elements_ref(const GatherElementsArgs& a, Range rows);

}  // namespace pith::kernels
