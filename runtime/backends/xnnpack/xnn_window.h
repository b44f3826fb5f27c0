// The sliding window of convolution and pooling, 1-D treated as 2-D with height 1. x[N, H, W, C].
#pragma once
#include <flatbuffers/vector.h>

#include <cstdint>

#include "runtime/base/shape.h"

namespace pith {

struct Window {
  size_t n = 1, h = 1, w = 1, c = 1;  // of x
  uint32_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  uint32_t top = 0, left = 0, bottom = 0, right = 0;
  bool any_padding() const { return (top | left | bottom | right) != 0; }
};
using UintVector = flatbuffers::Vector<uint32_t>;

// kernel(i): size of spatial dim i. Null vectors mean stride 1, dilation 1, no padding. False: 3-D or more,
// or a size above 2^20, which XNNPACK's 32-bit arithmetic is not to be trusted with.
template <class KernelDim>
bool make_window(const Shape& x, KernelDim&& kernel, const UintVector* strides, const UintVector* pads,
                 const UintVector* dilations, Window* out) {
  constexpr uint32_t kMax = 1u << 20;
  const int rank = x.rank() - 2;
  if (rank < 1 || rank > 2) return false;
  const auto dims = static_cast<uint32_t>(rank);
  auto pick = [](const UintVector* v, uint32_t i, uint32_t fallback) {
    return v != nullptr && i < v->size() ? v->Get(i) : fallback;
  };
  bool fits = true;
  auto read = [&](uint32_t i, size_t* in, uint32_t* k, uint32_t* s, uint32_t* d, uint32_t* begin,
                  uint32_t* end) {
    *in = static_cast<size_t>(x[static_cast<int>(i) + 1]);
    const int64_t size = kernel(static_cast<int>(i));
    *k = size > 0 && size < kMax ? static_cast<uint32_t>(size) : kMax;
    *s = pick(strides, i, 1), *d = pick(dilations, i, 1);
    *begin = pick(pads, i, 0), *end = pick(pads, i + dims, 0);
    for (uint32_t v : {*k, *s, *d, *begin + 1, *end + 1}) fits = fits && v > 0 && v < kMax;
    fits = fits && uint64_t{*k} * *d < kMax;
  };
  out->n = static_cast<size_t>(x[0]), out->c = static_cast<size_t>(x[rank + 1]);
  if (rank == 2) read(0, &out->h, &out->kernel_h, &out->stride_h, &out->dilation_h, &out->top, &out->bottom);
  read(dims - 1, &out->w, &out->kernel_w, &out->stride_w, &out->dilation_w, &out->left, &out->right);
  return fits && uint64_t{out->kernel_h} * out->kernel_w < kMax;
}

// Spatial size of y, as XNNPACK would compute it, must be what the shape rule says.
inline bool same_spatial(const Shape& y, size_t h, size_t w) {
  const int rank = y.rank() - 2;
  return static_cast<size_t>(y[rank]) == w && (rank == 1 || static_cast<size_t>(y[1]) == h);
}

}  // namespace pith
