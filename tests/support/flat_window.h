// The window of a shape of two dims (kernels/conv/conv_i8.h, kernels/depthwise/depthwise_i8.h), for the plain convolution.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/conv/window.h"

namespace pith::test {

template <class Shape>
kernels::Window flat_window(const Shape& s) {
  kernels::Window w{};
  const auto set = [](int64_t(&to)[3], size_t h, size_t v) {
    to[0] = 1, to[1] = static_cast<int64_t>(h), to[2] = static_cast<int64_t>(v);
  };
  set(w.in, s.in_h, s.in_w), set(w.out, s.out_h, s.out_w), set(w.kernel, s.kernel_h, s.kernel_w);
  set(w.stride, s.stride_h, s.stride_w), set(w.dilation, s.dilation_h, s.dilation_w),
      set(w.pad, s.pad_top, s.pad_left);
  w.pad[0] = 0;
  return w;
}

}  // namespace pith::test
