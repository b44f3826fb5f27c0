// The tile of an i8 convolution in plain loops, and the choice of a kernel.
#include <cstring>

#include "kernels/base/requant.h"
#include "kernels/conv/conv_i8_tile.h"

namespace pith::kernels {

void conv_i8_ref(const ConvI8Tile& t, size_t rows) {
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < t.columns; ++c) {
      auto acc = static_cast<uint32_t>(t.start[c]);
      const int8_t* w = t.w + c * 4;
      for (size_t run = 0; run < t.run_count; ++run)
        for (size_t b = 0; b < t.run_bytes; b += 4, w += t.width * 4)
          for (size_t j = 0; j < 4; ++j)
            acc += static_cast<uint32_t>(static_cast<int8_t>(t.rows[r][t.runs[run] + b + j]) * w[j]);
      t.y[r * t.y_stride + c] = static_cast<int8_t>(
          requantize(static_cast<int32_t>(acc), t.scale[c], t.y_zero, t.y_lo, t.y_hi) ^ t.y_flip);
    }
}

void copy_codes_ref(uint8_t* to, const uint8_t* from, size_t n, uint8_t mask) {
  if (mask == 0) {
    std::memcpy(to, from, n);
    return;
  }
  for (size_t i = 0; i < n; ++i) to[i] = static_cast<uint8_t>(from[i] ^ mask);
}

#define KERNEL(name, needs, wide, narrow, flip, bytes, speed) \
  void conv_i8_##name(const ConvI8Tile&, size_t);             \
  void copy_codes_##name(uint8_t*, const uint8_t*, size_t, uint8_t);
#include "kernels/conv/conv_i8_list.inc"
#undef KERNEL

ConvI8Kernels conv_i8_kernels() {
  static constexpr ConvI8Kernel kAll[] = {
#define KERNEL(name, needs, wide, narrow, flip, bytes, speed) \
  {#name, conv_i8_##name, copy_codes_##name, needs, wide, narrow, flip, bytes, speed},
#include "kernels/conv/conv_i8_list.inc"
#undef KERNEL
  };
  return {kAll, sizeof kAll / sizeof kAll[0]};
}

const ConvI8Kernel& select_conv_i8(Cpu cpu) { return best_of(conv_i8_kernels(), cpu); }

}  // namespace pith::kernels
