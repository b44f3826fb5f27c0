// Pooling, channels last: x[N, D, H, W, C] -> y[N, od, oh, ow, C]. Taps outside the input take no part.
//   max      the largest; NaN wins; the lowest value when the window is empty. Of equal values the first
//   counts. average  sum / taps; with count_padding, taps that lie in the padding count too. 0 when there are
//   none. lp       (sum |x|^p)^(1/p)
// Ranges count output pixels (all images). Channels are independent; y must not overlap x.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/types.h"
#include "kernels/conv/window.h"

namespace pith::kernels {

struct PoolArgs {
  Window window;
  size_t channels;
  const void* x;
  void* y;
  int64_t* indices;   // max: flat position of the winner as if x were [N, C, D, H, W]; or null
  bool column_major;  // the spatial part of an index counts the first dim fastest
  bool count_padding;
  int p;  // lp: >= 1
  // average of codes: y = clamp(round(sum(x - x_zero) * scale / taps) + y_zero), scale = sx / sy
  int32_t x_zero, y_zero;
  float scale;
};

template <class T>  // float, double, int8_t, uint8_t
void max_pool_ref(const PoolArgs& a, Range pixels);
void average_pool_f32_ref(const PoolArgs& a, Range pixels);
template <class T>  // int8_t, uint8_t
void average_pool_codes_ref(const PoolArgs& a, Range pixels);
void lp_pool_f32_ref(const PoolArgs& a, Range pixels);

}  // namespace pith::kernels
