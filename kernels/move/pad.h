// Padding: y[i] = x[source(i)] for every dim on its own, or a constant where a dim has no source.
//   constant: no source outside x      edge: the nearest element
//   reflect:  mirrored without repeating the border (period 2(m-1))      wrap: repeated (period m)
// Negative pads are cuts: dims see only their m remaining elements, from `first` on.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/types.h"

namespace pith::kernels {

inline constexpr int kPadMaxRank = 8;
enum class PadRule : uint8_t { constant, reflect, edge, wrap };

struct PadArgs {
  const void* x = nullptr;
  void* y = nullptr;            // must not overlap x
  const void* value = nullptr;  // one element, for PadRule::constant
  PadRule rule = PadRule::constant;
  size_t element_bytes = 1;  // 1, 2, 4 or 8
  int rank = 0;              // 1..kPadMaxRank padded dims
  int64_t y_dims[kPadMaxRank] = {};
  int64_t x_stride[kPadMaxRank] = {};  // bytes
  int64_t before[kPadMaxRank] = {};    // y indices that lie before the first element of x; >= 0
  int64_t first[kPadMaxRank] = {};     // first element of x that is used
  int64_t m[kPadMaxRank] = {};         // elements of x that are used; > 0 unless the rule is constant
  size_t inner = 1;                    // adjacent elements behind the last padded dim
};

// The element of dim d that y index i shows, or -1 for the constant.
int64_t pad_source(const PadArgs& a, int d, int64_t i);

// Rows of y: index over all padded dims but the last.
void pad_ref(const PadArgs& a, Range rows);

}  // namespace pith::kernels
